"""The platform's routes: `/api/v1`, and the traces beside it."""

from fastapi import APIRouter

from functions.admin.platform import accounts, login, members

ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    login.router,
    members.router,
)

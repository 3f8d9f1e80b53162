"""The platform's routes: `/api/v1`, and the traces beside it."""

from fastapi import APIRouter

from functions.admin.platform import (
    accounts,
    auth,
    leases,
    login,
    members,
    sealed_keys,
    traces,
    usage_events,
)

ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    login.router,
    members.router,
    auth.router,
    sealed_keys.router,
    usage_events.router,
    traces.router,
    leases.router,
)

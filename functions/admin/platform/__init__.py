"""The platform's routes: `/api/v1`, and the traces beside it."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()

"""The platform's routes: `/api/v1`, and the traces beside it."""

from fastapi import APIRouter

from functions.admin.platform import (
    accounts,
    auth,
    clients,
    leases,
    login,
    members,
    project_budgets,
    project_keys,
    project_usage,
    projects,
    provider_keys,
    sealed_keys,
    traces,
    usage_events,
    vault,
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
    projects.router,
    provider_keys.router,
    clients.router,
    project_budgets.router,
    vault.router,
    project_keys.router,
    project_usage.router,
)

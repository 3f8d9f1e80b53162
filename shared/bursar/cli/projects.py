"""`bursar project`: projects of whoever is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bursar.cli.failures import Failed
from bursar.cli.own_vault import signed_in

if TYPE_CHECKING:
    from bursar.cli.gateway import Gateway

_PAGE = 100


@click.group()
def project() -> None:
    """Projects: a vault, clients, budgets, virtual keys and books each."""


@project.command()
@click.argument("name")
@click.option("--description", default=None)
def create(name: str, description: str | None) -> None:
    """Make a project, and print its id."""
    _, gateway = signed_in()
    made = gateway.ask("POST", "/projects/", {"name": name, "description": description})
    click.echo(made["id"])


@project.command("list")
def list_projects() -> None:
    """List your projects: id, whether there is a vault, name."""
    _, gateway = signed_in()
    for each in projects_of(gateway):
        vault = "vault" if each["encryption_key"] else "no vault"
        click.echo(f"{each['id']}\t{vault}\t{each['name']}")


def projects_of(gateway: Gateway) -> list[dict[str, Any]]:
    """All projects of whoever is signed in."""
    found: list[dict[str, Any]] = []
    while True:
        page = gateway.ask("GET", f"/projects/?skip={len(found)}&limit={_PAGE}")["data"]
        found += page
        if len(page) < _PAGE:
            return found


def project_named(gateway: Gateway, name: str) -> dict[str, Any]:
    """A project by its id or by its name.

    Raises:
        Failed: there is none, or several have that name.
    """
    matching = [each for each in projects_of(gateway) if name in {each["id"], each["name"]}]
    if len(matching) > 1:
        raise Failed(f"Several of your projects are named {name!r}: give the id", 5)
    if not matching:
        raise Failed(f"You have no project {name!r}: see bursar project list", 3)
    return matching[0]

"""`bursar projects`: projects of whoever is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.confirming import YES, confirm_by_name
from bursar.cli.failures import Failed
from bursar.cli.fields import changed, path_to
from bursar.cli.gateway import signed_in
from bursar.cli.options import displays
from bursar.cli.output import Column, as_instant

if TYPE_CHECKING:
    from bursar.cli.gateway import Gateway
    from bursar.cli.output import Output

_PAGE = 100


def _as_vault(value: Any) -> str:
    return "vault" if value else "no vault"


COLUMNS: Final = (
    Column("id", "ID"),
    Column("encryption_key", "VAULT", _as_vault),
    Column("name", "NAME"),
)
_DETAILS: Final = (
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("description", "DESCRIPTION"),
    Column("encryption_key", "VAULT'S PUBLIC KEY"),
    Column("created_at", "CREATED", as_instant),
    Column("updated_at", "CHANGED", as_instant),
)


@click.group()
def project() -> None:
    """Projects: a vault, clients, budgets, virtual keys and books each."""


@project.command()
@click.argument("name")
@click.option("--description", help="What it is for.")
def create(name: str, description: str | None) -> None:
    """Make a project, and print its id.

    Example: bursar projects create web --description 'The shop'
    """
    _, gateway = signed_in()
    made = gateway.ask("POST", "/projects/", {"name": name, "description": description})
    click.echo(made["id"])


@project.command("list")
@displays
def list_projects(output: Output) -> None:
    """List your projects, oldest first.

    Example: bursar projects list -o json
    """
    _, gateway = signed_in()
    output.rows(projects_of(gateway), COLUMNS)


@project.command()
@click.argument("project")
@displays
def show(output: Output, project: str) -> None:
    """Show a project, by its id or its name.

    Example: bursar projects show web
    """
    _, gateway = signed_in()
    known = project_named(gateway, project)
    output.record(gateway.ask("GET", path_to("/projects", known["id"])), _DETAILS)


@project.command()
@click.argument("project")
@click.option("--name", help="Its new name.")
@click.option("--description", help="What it is for; '' for nothing.")
@displays
def update(output: Output, /, project: str, **fields: Any) -> None:
    """Rename or describe a project.

    Example: bursar projects update web --name shop
    """
    changes = changed(fields)
    _, gateway = signed_in()
    path = path_to("/projects", project_named(gateway, project)["id"])
    output.record(gateway.ask("PATCH", path, changes), _DETAILS)


@project.command()
@click.argument("project")
@YES
@displays
def delete(output: Output, project: str, *, is_sure: bool) -> None:
    """Delete a project with its vault, clients and budgets, and end its virtual keys.

    Its usage stays in the books. Nobody can open its provider keys again.

    Example: bursar projects delete web
    """
    _, gateway = signed_in()
    known = project_named(gateway, project)
    what = f"delete the project {known['name']}, its vault and its budgets, and end its keys"
    confirm_by_name(known["name"], what, is_sure=is_sure)
    gateway.ask("DELETE", path_to("/projects", known["id"]))
    output.say(f"Deleted {known['name']}")


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
        raise Failed(f"You have no project {name!r}: see bursar projects list", 3)
    return matching[0]

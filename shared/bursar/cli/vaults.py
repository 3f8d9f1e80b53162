"""`bursar vault`: provider keys and virtual keys, made and sealed on this machine."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from bursar.cli.failures import Failed, RefusedByGateway
from bursar.cli.gateway import signed_in
from bursar.cli.own_vault import open_vault
from bursar.cli.projects import project_named
from bursar.cli.secret_input import read_secret
from bursar.cli.vault_records import provider_key_of, provider_keys_of, share_of
from bursar.domain.projects import person_holder
from bursar.services.platform.emails import normal_email
from bursar.services.platform.issuing import issue_for_vault, share_for
from bursar.services.platform.rekeying import rekey, seal_provider_key
from bursar.vault import AnyLlmKey, PublicKey, VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursar.cli.gateway import Gateway

_DAY_S = 24 * 60 * 60
# From this status on, an error does not say that nothing was changed.
_FAULTS = 500
_GRACE = click.option(
    "--grace", "grace_s", default=_DAY_S, show_default=True, help="Seconds the old one works on."
)


@click.group()
def vault() -> None:
    """A project's provider keys, which only its users can open."""


@vault.command()
@click.argument("project")
def create(project: str) -> None:
    """Make a project's vault, and print its key: the ANY_LLM_KEY of applications.

    It is shown this once. You can open the vault with your password as well.
    """
    _, gateway = signed_in()
    known = project_named(gateway, project)
    if known["encryption_key"]:
        raise Failed("This project has a vault already: bursar vault rotate", 5)
    key = AnyLlmKey.generate()
    public = str(key.private_key.public)
    with _told(key):
        gateway.ask("PATCH", f"/projects/{known['id']}", {"encryption_key": public})
    _share_with_me(gateway, known["id"], key)


@vault.command()
@click.argument("project")
@click.argument("provider")
@click.option(
    "--format",
    "sealed_format",
    type=click.Choice(["1", "2"]),
    default="2",
    show_default=True,
    help="1 is what published any-llm SDKs open; 2 also notices when keys are swapped.",
)
def seal(project: str, provider: str, sealed_format: str) -> None:
    """Seal a provider's key, read from standard input, into a project's vault.

    Example: printf %s "$OPENAI_API_KEY" | bursar vault seal web openai
    """
    _, gateway = signed_in()
    known = project_named(gateway, project)
    if not known["encryption_key"]:
        raise Failed("This project has no vault yet: bursar vault create", 5)
    current = provider_key_of(gateway, known["id"], provider)
    sealed = seal_provider_key(
        read_secret("The provider's key"),
        PublicKey.parse(known["encryption_key"]),
        known["id"],
        provider,
        1 if current is None else current.version + 1,
        int(sealed_format),
    )
    if current is None:
        body = {"project_id": known["id"], "provider": provider, "encrypted_key": sealed}
        gateway.ask("POST", "/provider-keys/", body)
    else:
        path = f"/provider-keys/{current.provider_key_id}"
        gateway.ask("PATCH", path, {"encrypted_key": sealed})
    click.echo(f"Sealed the key of {provider} in format v{sealed_format}", err=True)


@vault.command()
@click.argument("project")
@click.option("--name", "key_name", default=None, help="What the key is for.")
@click.option("--only-v2", is_flag=True, help="The key refuses provider keys in format v1.")
def issue(project: str, key_name: str | None, *, only_v2: bool) -> None:
    """Make a virtual key that opens the vault, and print it. It is shown this once."""
    login, gateway = signed_in()
    known = project_named(gateway, project)
    opened = open_vault(login, gateway, known["id"])
    oldest = 2 if only_v2 else opened.oldest_format
    made = issue_for_vault(opened.private_key, known["id"], oldest_format=oldest)
    body = {"key_name": key_name, "digest": made.digest, "share": asdict(made.share)}
    answer = gateway.ask("POST", f"/projects/{known['id']}/keys", body)
    click.echo(f"Key {answer['id']}", err=True)
    click.echo(made.virtual_key)


@vault.command("rotate-key")
@click.argument("project")
@click.argument("key_id")
@_GRACE
def rotate_key(project: str, key_id: str, grace_s: int) -> None:
    """Replace a virtual key, and print the new one."""
    login, gateway = signed_in()
    known = project_named(gateway, project)
    opened = open_vault(login, gateway, known["id"])
    made = issue_for_vault(opened.private_key, known["id"], oldest_format=opened.oldest_format)
    gateway.ask(
        "POST",
        f"/projects/{known['id']}/keys/{key_id}/rotate",
        {"digest": made.digest, "share": asdict(made.share), "grace_period_sec": grace_s},
    )
    click.echo(made.virtual_key)


@vault.command()
@click.argument("project")
@_GRACE
def rotate(project: str, grace_s: int) -> None:
    """Replace the vault's own key, and print the new ANY_LLM_KEY.

    Every provider key is sealed again and every virtual key goes on working. Rotate provider keys
    at their providers, too, if the old vault key may be known to somebody.
    """
    login, gateway = signed_in()
    known = project_named(gateway, project)
    opened = open_vault(login, gateway, known["id"])
    shares = gateway.ask("GET", f"/projects/{known['id']}/vault")["shares"]
    click.echo("The new key is shared with everybody who can open the vault now:", err=True)
    for each in shares:
        click.echo(f"  {each['holder_id']}", err=True)
    key = AnyLlmKey.generate()
    try:
        changes = rekey(
            opened.private_key,
            key.private_key,
            known["id"],
            provider_keys_of(gateway, known["id"]),
            [share_of(known["id"], each) for each in shares],
            oldest_format=opened.oldest_format,
        )
    except VaultError as error:
        raise Failed(f"Nothing was changed: {error}") from None
    body = {
        "encryption_key": changes.encryption_key,
        "provider_keys": [
            {
                "id": each.provider_key_id,
                "encrypted_key": each.encrypted_key,
                "version": each.version,
            }
            for each in changes.provider_keys
        ],
        "shares": [
            {"holder_id": holder, "sealed": share.sealed, "voucher": share.voucher}
            for holder, share in changes.shares
        ],
        "grace_period_sec": grace_s,
    }
    with _told(key):
        gateway.ask("POST", f"/projects/{known['id']}/vault/rotate", body)


@vault.command()
@click.argument("project")
@click.argument("email")
@click.option("--yes", is_flag=True, help="The public key is known to be theirs.")
def share(project: str, email: str, *, yes: bool) -> None:
    """Let another member of the project open its vault.

    The gateway says what their public key is. Ask them to compare it, over another channel, with
    what 'bursar accounts whoami' shows them: a gateway that lies could get the vault's key by it.
    """
    login, gateway = signed_in()
    known = project_named(gateway, project)
    members = gateway.ask("GET", f"/projects/{known['id']}/members")["data"]
    found = [each for each in members if each["email"] == normal_email(email)]
    if not found:
        raise Failed(f"{email} is no member of this project", 3)
    if not found[0].get("account_public_key"):
        raise Failed(f"{email} has no account key: they sign up with bursar accounts create", 5)
    click.echo(f"Public key of {email}: {found[0]['account_public_key']}", err=True)
    if not yes:
        click.confirm("Is that what they see?", abort=True, err=True)
    opened = open_vault(login, gateway, known["id"])
    _put_share(gateway, known["id"], found[0], opened.private_key, opened.oldest_format)
    click.echo(f"{email} can open this vault now", err=True)


@contextmanager
def _told(key: AnyLlmKey) -> Iterator[None]:
    """Print a vault's new key once the gateway has taken it, and also where nobody knows.

    Without it, what is sealed for it could be lost.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, RefusedByGateway) or error.status >= _FAULTS:
            click.echo(
                "Whether the vault has this key now is not known: keep it and the old one until "
                "one of them opens the vault",
                err=True,
            )
            click.echo(key.text())
        raise
    click.echo(key.text())


def _share_with_me(gateway: Gateway, project_id: str, key: AnyLlmKey) -> None:
    me = gateway.ask("GET", "/accounts/me")
    if me.get("account_public_key"):
        member = {"person_id": me["id"], "account_public_key": me["account_public_key"]}
        _put_share(gateway, project_id, member, key.private_key, 1)


def _put_share(
    gateway: Gateway, project_id: str, member: dict[str, Any], vault_key: Any, oldest_format: int
) -> None:
    holder = PublicKey.parse(member["account_public_key"])
    holder_id = person_holder(member["person_id"])
    made = share_for(vault_key, holder, project_id, holder_id, oldest_format=oldest_format)
    path = f"/projects/{project_id}/vault/shares/person/{member['person_id']}"
    gateway.ask("PUT", path, asdict(made))

"""`bursar login`, `logout` and `whoami`: which gateway is asked, and as whom."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.addresses import check_is_private, name_for, read_address
from bursar.cli.connection import HttpConnection
from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.keeping import check_administers, keep, profile_name_of
from bursar.cli.login_file import login_path, read_login
from bursar.cli.options import LOCAL_URL, administers, displays
from bursar.cli.output import Column
from bursar.cli.profiles import Profile, read_profiles
from bursar.cli.secret_input import read_secret
from bursar.cli.secret_store import forget_secret_of, key_of, place_of

if TYPE_CHECKING:
    from bursar.cli.options import Session
    from bursar.cli.output import Output

COLUMNS: Final = (
    Column("profile", "PROFILE"),
    Column("gateway", "GATEWAY"),
    Column("version", "VERSION"),
    Column("identity", "AS"),
    Column("credential_from", "BY"),
    Column("person", "PERSON"),
)


@click.command()
@click.argument("url", required=False)
@click.option("--profile", "wanted", help="What to call it.  [default: the address's host]")
@click.option("--stack", help="A deployed stack, asked with your own AWS identity, without a key.")
@click.option("--region", help="The stack's region.")
@click.option("--aws-profile", help="The profile of your AWS configuration to ask it with.")
@click.option("--plain-http", is_flag=True, help="Send the key unencrypted to another machine.")
@displays
def login(output: Output, /, url: str | None, wanted: str | None, **options: Any) -> None:
    """Keep a gateway's address and its master key.

    The key is asked for, or read from BURSAR_MASTER_KEY or standard input. Once the gateway has
    taken it, it is kept in the system's keyring, or in a file that only you can read where there is
    none; this says which.

    \b
    Example: bursar login https://gateway.example.com --profile prod
             pass bursar | bursar login https://gateway.example.com
             bursar login --stack bursar-prod --region eu-central-1
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    may_be_plain = options.pop("plain_http")
    if options["stack"] is not None:
        _log_in_to_stack(output, url, wanted, options)
    else:
        address = read_address(url or LOCAL_URL)
        check_is_private(address, may_be_plain=may_be_plain)
        _log_in_to(output, address, wanted)


@click.command()
@click.option("--profile", "wanted", help="Whose.  [env: BURSAR_PROFILE]")
@displays
def logout(output: Output, wanted: str | None) -> None:
    """Forget a profile's secrets; its address stays.

    Example: bursar logout --profile prod
    """
    name = wanted or os.environ.get("BURSAR_PROFILE") or read_profiles().default
    if name is None:
        raise Failed("There is no profile to log out of", WRONG_USAGE)
    read_profiles().named(name)
    forgotten = [forget_secret_of(secret) for secret in (name, key_of(name))]
    what = "Forgot the secrets of" if any(forgotten) else "No secret was kept for"
    output.say(f"{what} {name}; bursar profiles remove {name} forgets its address as well")


@click.command()
@administers
def whoami(session: Session) -> None:
    """Tell which gateway is asked, and as whom.

    It asks the gateway, so that the credential is known to work.

    Example: bursar whoami -o json
    """
    version = check_administers(session.connection)
    session.output.record(
        {
            "profile": session.profile_name,
            "gateway": session.connection.name,
            "version": version,
            **_identity(session),
            "person": _person(),
        },
        COLUMNS,
    )


def _log_in_to(output: Output, url: str, wanted: str | None) -> None:
    master_key = os.environ.get("BURSAR_MASTER_KEY") or read_secret(f"Master key of {url}")
    version = check_administers(HttpConnection(url, master_key))
    profile = Profile(url)
    kept = keep(profile_name_of(profile, wanted, name_for(url)), profile, master_key)
    output.say(f"Signed in to {url} (version {version}) as profile {kept.name}")
    output.say(f"The master key is kept in {kept.place}")
    _say_replaced(output, kept.replaced)


def _log_in_to_stack(
    output: Output, url: str | None, wanted: str | None, options: dict[str, Any]
) -> None:
    # boto3 is a quarter of a second that only a stack costs.
    from bursar.cli.stack import StackConnection  # noqa: PLC0415

    address = None if url is None else read_address(url)
    options["region"] = options["region"] or os.environ.get("AWS_REGION")
    connection = StackConnection.found(Profile(**options))
    version = check_administers(connection)
    profile = Profile(address, options["stack"], connection.region, options["aws_profile"])
    kept = keep(profile_name_of(profile, wanted, connection.stack), profile, None)
    output.say(f"Signed in to {connection.name} (version {version}) as profile {kept.name}")
    output.say(f"No secret is kept: every command asks as {connection.caller}, or whoever you are")
    _say_replaced(output, kept.replaced)


def _say_replaced(output: Output, replaced: str | None) -> None:
    if replaced is not None:
        output.say(f"That profile led to {replaced} before")


def _identity(session: Session) -> dict[str, str | None]:
    if isinstance(session.connection, HttpConnection):
        return {"identity": "master key", "credential_from": _source(session.profile_name)}
    caller: str = session.connection.caller  # type: ignore[attr-defined]  # only AWS is left
    return {"identity": caller, "credential_from": "AWS"}


def _source(profile_name: str | None) -> str | None:
    if os.environ.get("BURSAR_MASTER_KEY"):
        return "BURSAR_MASTER_KEY"
    return None if profile_name is None else place_of(profile_name)


def _person() -> str | None:
    """Who is signed in to a gateway's platform here, if anybody."""
    if not login_path().exists():
        return None
    known = read_login()
    return f"{known.email} at {known.url}"

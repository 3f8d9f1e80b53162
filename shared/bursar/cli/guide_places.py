"""The guide's first step: the gateway, on this machine, at an address or on AWS."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from bursar.cli.addresses import check_is_private, name_for, read_address
from bursar.cli.connection import Connection, HttpConnection
from bursar.cli.failures import NOT_ALLOWED, WRONG_USAGE, Failed
from bursar.cli.keeping import check_administers, keep, profile_name_of
from bursar.cli.local_gateway import answers, can_start, known_master_keys, local_url, start
from bursar.cli.profiles import Profile, read_profiles
from bursar.cli.secret_input import ask_secret
from bursar.cli.secret_store import read_secret_of

if TYPE_CHECKING:
    from bursar.cli.output import Output

_HERE: Final = "1"
_THERE: Final = "2"
_ON_AWS: Final = "3"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options say, and what the answers to questions add.

    Attributes:
        yes: nobody is asked.
    """

    is_local: bool = False
    url: str | None = None
    stack: str | None = None
    region: str | None = None
    aws_profile: str | None = None
    profile: str | None = None
    provider: str | None = None
    plain_http: bool = False
    yes: bool = False

    def check_somebody_is_there(self) -> None:
        """Raises Failed where a question would have to be asked and cannot be."""
        if not self.yes and not sys.stdin.isatty():
            raise Failed(
                "There is nobody to ask: add --yes, which takes the options and their defaults",
                WRONG_USAGE,
            )


@dataclass(frozen=True, slots=True)
class Found:
    """A gateway that takes the credential.

    Attributes:
        url: its data plane's root.
    """

    connection: Connection
    url: str
    profile: Profile
    profile_name: str


def find_gateway(output: Output, wishes: Wishes) -> Found:
    """Find a gateway, start one if that is wanted, and keep how it is reached.

    Raises:
        Failed: there is none, or it does not take the credential.
    """
    wishes.check_somebody_is_there()
    is_open = not (wishes.is_local or wishes.url or wishes.stack)
    url = os.environ.get("BURSAR_URL") if is_open else wishes.url
    stack = os.environ.get("BURSAR_STACK") if is_open and not url else wishes.stack
    if stack:
        return _on_aws(output, wishes, stack, url)
    if url:
        return _there(output, wishes, read_address(url))
    if wishes.is_local or wishes.yes:
        return _here(output, wishes)
    chosen = _choice()
    if chosen == _THERE:
        return _there(output, wishes, read_address(click.prompt("Its address", err=True)))
    if chosen == _ON_AWS:
        name = click.prompt("The stack's name", default="bursar-dev", err=True)
        return _on_aws(output, wishes, name, None)
    return _here(output, wishes)


def _choice() -> str:
    url = local_url()
    here = f"{url}, which is running" if answers(url) else "started here, in the background"
    click.echo("Where is the gateway?", err=True)
    click.echo(f"  {_HERE}  on this machine: {here}", err=True)
    click.echo(f"  {_THERE}  at an address", err=True)
    click.echo(f"  {_ON_AWS}  a stack on AWS, asked with your AWS identity", err=True)
    kinds = click.Choice([_HERE, _THERE, _ON_AWS])
    chosen: str = click.prompt("Choose", default=_HERE, type=kinds, show_choices=False, err=True)
    return chosen


def _here(output: Output, wishes: Wishes) -> Found:
    url = local_url()
    if answers(url):
        output.say(f"Gateway    {url} is running")
    elif can_start():
        _start(output, wishes, url)
    else:
        raise Failed(f"Nothing answers at {url}: run `make run` in Bursar's repository")
    return _administered(output, wishes, url, known_master_keys())


def _start(output: Output, wishes: Wishes, url: str) -> None:
    # Its import is for whoever has a key to enter.
    from bursar.cli.guide_providers import provider_variables  # noqa: PLC0415

    output.say(f"Gateway    starting one at {url}; the first time takes a moment")
    started = start(url, provider_variables(wishes))
    output.say(
        f"           runs in the background as process {started.process_id}; `kill "
        f"{started.process_id}` ends it, and `make run` starts it in a terminal\n"
        f"           its log is {started.log}"
    )


def _there(output: Output, wishes: Wishes, url: str) -> Found:
    check_is_private(url, may_be_plain=wishes.plain_http)
    return _administered(output, wishes, url, [])


def _administered(output: Output, wishes: Wishes, url: str, known: list[str]) -> Found:
    """Sign in with the first master key at hand that the gateway takes, or with one asked for."""
    profile = Profile(url)
    name = profile_name_of(profile, wishes.profile, name_for(url))
    given = os.environ.get("BURSAR_MASTER_KEY")
    kept = read_secret_of(name) if name in read_profiles().by_name else None
    for key in [key for key in (given, kept, *known) if key]:
        try:
            return _kept(output, profile, name, key, HttpConnection(url, key))
        except Failed as error:
            if error.exit_code != NOT_ALLOWED or key == given:
                raise
    if wishes.yes and not sys.stdin.isatty():
        raise Failed(f"There is no master key of {url}: set BURSAR_MASTER_KEY", NOT_ALLOWED)
    key = ask_secret("BURSAR_MASTER_KEY", f"Master key of {url}")
    return _kept(output, profile, name, key, HttpConnection(url, key))


def _kept(
    output: Output, profile: Profile, name: str, key: str, connection: HttpConnection
) -> Found:
    version = check_administers(connection)
    kept = keep(name, profile, key)
    output.say(f"Signed in  to {connection.url} (version {version}) as profile {name}")
    output.say(f"           the master key is kept in {kept.place}")
    return Found(connection, connection.url, read_profiles().named(name), name)


def _on_aws(output: Output, wishes: Wishes, stack: str, url: str | None) -> Found:
    # boto3 is a quarter of a second that only a stack costs.
    from bursar.cli.stack import StackConnection  # noqa: PLC0415

    address = None if url is None else read_address(url)
    region = wishes.region or os.environ.get("AWS_REGION")
    connection = StackConnection.found(Profile(None, stack, region, wishes.aws_profile))
    version = check_administers(connection)
    profile = Profile(address, stack, connection.region, wishes.aws_profile)
    name = profile_name_of(profile, wishes.profile, stack)
    keep(name, profile, None)
    output.say(f"Signed in  to {connection.name} (version {version}) as profile {name}")
    output.say(f"           every command asks as {connection.caller}; no secret is kept")
    return Found(
        connection, address or connection.url.rstrip("/"), read_profiles().named(name), name
    )

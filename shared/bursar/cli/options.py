"""Options that commands share, and what they make of them.

Every command that asks a gateway takes the same options, wherever they stand behind its name.
What they leave open is taken from the environment, and what that leaves open from the profile.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import click

from bursar.cli.addresses import check_is_private, is_plain, read_address
from bursar.cli.connection import Connection, HttpConnection
from bursar.cli.failures import NOT_ALLOWED, WRONG_USAGE, Failed, RefusedByGateway
from bursar.cli.output import KINDS, Output
from bursar.cli.profiles import Profile, read_profiles
from bursar.cli.secret_store import read_secret_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bursar.cli.output import Kind

P = ParamSpec("P")
ReturnT = TypeVar("ReturnT")

_UNAUTHORIZED = 401
LOCAL_URL = "http://127.0.0.1:8000"
_WHERE = (
    click.option("--profile", help="A profile of `bursar login`.  [env: BURSAR_PROFILE]"),
    click.option("--url", help="The gateway's address.  [env: BURSAR_URL]"),
    click.option(
        "--stack",
        help="Ask a deployed stack with your own AWS identity; no master key is needed.  "
        "[env: BURSAR_STACK]",
    ),
    click.option("--region", help="The stack's region.  [env: AWS_REGION]"),
)
_HOW = (
    click.option(
        "--output",
        "-o",
        type=click.Choice(KINDS),
        default=None,
        help="How data is written.  [env: BURSAR_OUTPUT]  [default: table]",
    ),
    click.option("--quiet", "-q", is_flag=True, help="Say nothing but what was asked for."),
)


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Attributes:
        profile_name: whose secret is used; None where an address was given instead.
    """

    connection: Connection
    output: Output
    profile: Profile
    profile_name: str | None = None

    def ask(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """Ask the gateway; see `Connection.ask`. Parameters that are None are left out."""
        try:
            return self.connection.ask(method, path, body, query=query)
        except RefusedByGateway as error:
            if error.status != _UNAUTHORIZED:
                raise
            hint = f"{error.detail}: `bursar login {self.connection.url}` keeps another master key"
            raise RefusedByGateway(error.status, hint, error.request_id) from None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the options lead, before anything is asked there.

    Attributes:
        profile_name: None where an address was given instead, or nothing is known yet.
    """

    output: Output
    profile: Profile
    profile_name: str | None = None

    def connection(self) -> Connection:
        """Who administers there: an AWS identity, or the master key.

        Raises:
            Failed: there is no such stack, or no key.
        """
        if self.profile.stack is not None:
            # boto3 is a quarter of a second that only a stack costs.
            from bursar.cli.stack import StackConnection  # noqa: PLC0415

            return StackConnection.found(self.profile)
        url = self.profile.url or LOCAL_URL
        check_is_consented(url)
        return HttpConnection(url, _master_key(self.profile_name))

    def session(self) -> Session:
        """As `connection`, with what else a command works with."""
        return Session(self.connection(), self.output, self.profile, self.profile_name)


def administers(
    command: Callable[Concatenate[Session, P], ReturnT],
) -> Callable[P, ReturnT]:
    """Give a command the options that lead to a gateway, and a session in their place."""

    @wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> ReturnT:
        output = _output(options)
        return command(session_of(output, **_where(options)), *arguments, **options)

    return _with((*_HOW, *_WHERE), run)


def locates(command: Callable[Concatenate[Place, P], ReturnT]) -> Callable[P, ReturnT]:
    """As `administers`, for a command that can do without an administrator's credential."""

    @wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> ReturnT:
        output = _output(options)
        return command(place_of(output, **_where(options)), *arguments, **options)

    return _with((*_HOW, *_WHERE), run)


def displays(command: Callable[Concatenate[Output, P], ReturnT]) -> Callable[P, ReturnT]:
    """Give a command that asks no gateway the options of its output."""

    @wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> ReturnT:
        return command(_output(options), *arguments, **options)

    return _with(_HOW, run)


def place_of(
    output: Output,
    *,
    profile: str | None = None,
    url: str | None = None,
    stack: str | None = None,
    region: str | None = None,
) -> Place:
    """Where options, environment and profile lead, in this order.

    Raises:
        Failed: they contradict each other, or there is no such profile.
    """
    name, known = _profile(profile, url, stack, region)
    return Place(output, known, name)


def session_of(output: Output, **where: str | None) -> Session:
    """As `place_of`, ready to be asked.

    Raises:
        Failed: as it does, or there is no such stack, or no key.
    """
    return place_of(output, **where).session()


def gateway_url() -> str:
    """The public address of the gateway that environment and profile lead to.

    Raises:
        Failed: there is no such profile, or no such stack.
    """
    known = _profile(None, None, None, None)[1]
    if known.url is not None or known.stack is None:
        return known.url or LOCAL_URL
    # boto3 is a quarter of a second that only a stack costs.
    from bursar.cli.stack import StackConnection  # noqa: PLC0415

    return StackConnection.found(known).url


def read_consented(_: object, __: object, text: str) -> str:
    """What an option's text is as an address to which secrets may be sent; click calls it.

    Raises:
        Failed: it is none, or they would cross a network in the clear.
    """
    address = read_address(text)
    check_is_consented(address)
    return address


def check_is_consented(url: str) -> None:
    """Raises Failed where a secret would be sent in the clear, and no login consented to that."""
    if is_plain(url):
        known = {profile.url for profile in read_profiles().by_name.values()}
        check_is_private(url, may_be_plain=url in known)


def _where(options: dict[str, Any]) -> dict[str, str | None]:
    """The options that lead to a gateway, which are taken out of the others."""
    return {name: options.pop(name) for name in ("profile", "url", "stack", "region")}


def _with(
    options: Sequence[Callable[[Any], Any]], command: Callable[P, ReturnT]
) -> Callable[P, ReturnT]:
    for option in options[::-1]:
        command = option(command)
    return command


def _profile(
    profile: str | None, url: str | None, stack: str | None, region: str | None
) -> tuple[str | None, Profile]:
    if url and stack:
        raise Failed("Give --url or --stack, not both", WRONG_USAGE)
    environ = os.environ
    if not (profile or url or stack):
        profile = environ.get("BURSAR_PROFILE")
        url = None if profile else environ.get("BURSAR_URL")
        stack = None if profile or url else environ.get("BURSAR_STACK")
    if url or stack:
        url = read_address(url) if url else None
        return None, Profile(url, stack, region or environ.get("AWS_REGION"))
    profiles = read_profiles()
    name = profile or profiles.default
    return (None, Profile(LOCAL_URL)) if name is None else (name, profiles.named(name))


def _master_key(profile: str | None) -> str:
    key = os.environ.get("BURSAR_MASTER_KEY")
    if not key and profile is not None:
        key = read_secret_of(profile)
    if not key:
        raise Failed(
            "There is no master key to ask with: bursar login URL, or set BURSAR_MASTER_KEY",
            NOT_ALLOWED,
        )
    return key


def _output(options: dict[str, Any]) -> Output:
    """The output that the options choose, which are taken out of the others."""
    chosen = options.pop("output") or os.environ.get("BURSAR_OUTPUT") or "table"
    if chosen not in KINDS:
        raise Failed(f"BURSAR_OUTPUT must be one of {', '.join(KINDS)}", WRONG_USAGE)
    return Output(cast("Kind", chosen), bool(options.pop("quiet")))

"""The guide's second step: a provider with a key, or the built-in mock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.failures import NOT_ALLOWED, Failed
from bursar.cli.secret_input import ask_secret
from bursar.cli.standing import configured_providers

if TYPE_CHECKING:
    from bursar.cli.guide_places import Found, Wishes
    from bursar.cli.output import Output

MOCK: Final = "mock"


def provider_variables(wishes: Wishes) -> dict[str, str]:
    """The key of the provider that is wished for, as a server's environment has it."""
    if wishes.provider is None:
        return {}
    variable = _variable(wishes.provider)
    return {variable: ask_secret(variable, f"{wishes.provider}'s API key")}


def ensure_provider(output: Output, found: Found, wishes: Wishes) -> list[str]:
    """The providers that the gateway can call, after a key was entered where that is wished.

    Raises:
        Failed: a key is to be entered and cannot be.
    """
    providers = configured_providers(found.connection)
    wanted = wishes.provider
    is_stack = hasattr(found.connection, "outputs")
    if wanted is None and is_stack and not _real(providers) and not wishes.yes:
        wanted = click.prompt("A provider to enter a key of, if any", default="", err=True) or None
    if wanted is not None and wanted not in providers:
        _enter(output, found, wanted, is_stack=is_stack)
        providers = [*providers, wanted]
    output.say(f"Providers  {', '.join(providers) or 'none'}{_hint(providers, is_stack=is_stack)}")
    return providers


def _enter(output: Output, found: Found, provider: str, *, is_stack: bool) -> None:
    variable = _variable(provider)
    if not is_stack:
        raise Failed(
            f"{found.url} is running without a key of {provider}: end it, and start it with "
            f"{variable} in its environment"
        )
    key = ask_secret(variable, f"{provider}'s API key")
    name = _put_parameter(found.connection, provider, key)
    output.say(f"Entered    the key of {provider} as {name}; functions read it within five minutes")


def _put_parameter(stack: Any, provider: str, key: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    name = f"{stack.outputs['ProviderKeysPath']}/{provider}/api_key"
    try:
        stack.session.client("ssm").put_parameter(
            Name=name, Value=key, Type="SecureString", Overwrite=True
        )
    except (ClientError, BotoCoreError) as error:
        raise Failed(
            f"The key cannot be entered ({error}): you need ssm:PutParameter on {name}",
            NOT_ALLOWED,
        ) from None
    return str(name)


def _variable(provider: str) -> str:
    """Where most providers' keys are looked for; `bursar providers show` knows the others."""
    return f"{provider.upper()}_API_KEY"


def _real(providers: list[str]) -> list[str]:
    return [name for name in providers if name != MOCK]


def _hint(providers: list[str], *, is_stack: bool) -> str:
    if _real(providers):
        return ""
    how = "bursar init --provider openai" if is_stack else "OPENAI_API_KEY=sk-… make run"
    return f"; for a real one: {how}"

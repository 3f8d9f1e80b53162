"""The guide's third step: a model to try, and that it has a price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.cli.failures import NOT_FOUND, RefusedByGateway
from bursar.cli.fields import path_to
from bursar.cli.guide_providers import MOCK
from bursar.cli.output import as_usd

if TYPE_CHECKING:
    from bursar.cli.guide_places import Found

# One that is cheap and well known of each, tried before others of the same provider.
_WELL_KNOWN: Final = (
    "anthropic:claude-haiku-4-5",
    "openai:gpt-5-nano",
    "gemini:gemini-2.5-flash-lite",
    "mistral:mistral-small-latest",
    "groq:llama-3.1-8b-instant",
    "deepseek:deepseek-chat",
    "openrouter:openai/gpt-oss-20b",
    "xai:grok-4-fast-non-reasoning",
)
_MOCK_MODEL: Final = "mock:hello"
_LOOKED_AT: Final = 50
_NO_CHAT: Final = ("embed", "tts", "whisper", "image", "moderation", "rerank", "transcribe")


def choose_model(found: Found, providers: list[str], wanted: str | None) -> str | None:
    """What to try: what is wished for, what was tried before, or a cheap one; None without any."""
    if wanted:
        return wanted
    real = [name for name in providers if name != MOCK]
    before = found.profile.model
    if before is not None and not (real and before == _MOCK_MODEL):
        return before
    known = [model for model in _WELL_KNOWN if model.partition(":")[0] in providers]
    if known:
        return known[0]
    others = (_some_model(found, name) for name in real)
    return next(filter(None, others), _MOCK_MODEL if MOCK in providers else None)


def check_price(found: Found, model: str) -> str | None:
    """A model's price in words, None where it has none. An alias is priced by what it stands for.

    Raises:
        Failed: the gateway cannot tell.
    """
    if ":" not in model and "/" not in model:
        return "an alias"
    answer = found.connection.ask("GET", "/v1/pricing/effective", query={"model": model})
    price = answer["price"]
    if price is None:
        return None
    input_, output = (as_usd(price[f"{side}_price_per_million"]) for side in ("input", "output"))
    return f"{input_} a million tokens in, {output} out ({answer['source']})"


def _some_model(found: Found, provider: str) -> str | None:
    path = f"{path_to('/v1/providers', provider)}/models"
    try:
        models = found.connection.ask("GET", path, query={"limit": _LOOKED_AT})
    except RefusedByGateway as error:
        if error.exit_code != NOT_FOUND:
            raise
        return None
    names = [str(each["model"]) for each in models]
    return next((name for name in names if not any(part in name for part in _NO_CHAT)), None)

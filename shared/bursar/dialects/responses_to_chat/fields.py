"""What becomes of the fields of a Responses request that another provider answers over chat.

| field | becomes |
|---|---|
| input, instructions, tools, tool_choice | messages and tools, see the modules of these names |
| max_output_tokens | `max_tokens` |
| temperature, top_p, user | the same |
| parallel_tool_calls | the same, where there are tools |
| top_logprobs, include `message.output_text.logprobs` | `logprobs`, `top_logprobs` |
| text.format, text.verbosity | `response_format`, `verbosity` (medium is what chat does anyway) |
| reasoning.effort | `reasoning_effort` |
| reasoning.summary | accepted: chat gives reasoning as it is, which is the item's content |
| include `reasoning.encrypted_content` | accepted: reasoning always comes with it |
| service_tier | the same; `auto` and `default` are left out, for they are what chat does anyway |
| metadata | given back in the response |
| store | false or absent: nothing is kept, and the response says so |
| max_tool_calls | accepted: it limits tools at the provider, of which none passes |
| prompt_cache_key, prompt_cache_options, prompt_cache_retention | accepted and not sent: where |
| | OpenAI looks for its own cache |
| safety_identifier, client_metadata | accepted and not sent: OpenAI's own housekeeping |
| stream_options.include_obfuscation | accepted if false: nothing is padded |
| truncation | `disabled` only |
| everything else | refused by its name |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.translator import Untranslatable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_STATELESS = "the model's provider keeps nothing between requests"
_REFUSED: Final = {
    "background": f"{_STATELESS}: leave it out and wait for the answer, or stream it",
    "conversation": f"{_STATELESS}: send the whole conversation in 'input'",
    "previous_response_id": f"{_STATELESS}: send the whole conversation in 'input'",
    "prompt": f"{_STATELESS}: send the prompt's text in 'instructions' or 'input'",
    "store": f"{_STATELESS}: set it to false and send the whole conversation in 'input'",
    "context_management": "the model's provider compacts nothing: shorten 'input' yourself",
}
_TRANSLATED: Final = frozenset(
    {
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "metadata",
        "model",
        "parallel_tool_calls",
        "reasoning",
        "service_tier",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
_HOUSEKEEPING: Final = frozenset(
    {
        "client_metadata",
        "max_tool_calls",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
    }
)
_LOGPROBS: Final = "message.output_text.logprobs"
_INCLUDED: Final = frozenset({"reasoning.encrypted_content", _LOGPROBS})
_NOTHING: Final[tuple[Any, ...]] = (None, False, [], {})
_SAME_NAME: Final = ("temperature", "top_p", "user")
_USUAL_TIERS: Final = frozenset({"auto", "default"})


def translated_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """The chat request's fields beside its messages and tools.

    Raises:
        Untranslatable: `param` names the field that chat cannot say.
    """
    _refuse(document)
    fields = {name: document[name] for name in _SAME_NAME if document.get(name) is not None}
    if document.get("max_output_tokens") is not None:
        fields["max_tokens"] = document["max_output_tokens"]
    if document.get("service_tier") not in (None, *_USUAL_TIERS):
        fields["service_tier"] = document["service_tier"]
    fields |= _reasoning(document.get("reasoning") or {})
    fields |= _text(document.get("text") or {})
    return fields | _logprobs(document)


def only(value: Any, known: Collection[str], where: str) -> dict[str, Any]:
    """An object whose fields are all known; those that are null, false or empty say nothing.

    Raises:
        Untranslatable: it has another field, or is no object.
    """
    if not isinstance(value, dict):
        raise Untranslatable(f"'{where}' must be an object", param=where)
    for name, held in value.items():
        if name not in known and held not in _NOTHING:
            raise untranslatable(f"{where}.{name}")
    return value


def kind_of(value: Any) -> str:
    """An object's type as text, whatever JSON value it is: no other value is a known type."""
    return str(value.get("type")) if isinstance(value, dict) else "None"


def listed(value: Any, where: str) -> list[Any]:
    """A list, empty where there is none.

    Raises:
        Untranslatable: it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise Untranslatable(f"'{where}' must be a list", param=where)
    return value


def untranslatable(where: str, remedy: str = "leave it out") -> Untranslatable:
    return Untranslatable(
        f"'{where}' has no counterpart at the model's provider, which speaks chat completions: "
        f"{remedy}",
        param=where,
    )


def _refuse(document: Mapping[str, Any]) -> None:
    for name, value in document.items():
        if value is None or name in _TRANSLATED or name in _HOUSEKEEPING:
            continue
        if name not in _REFUSED:
            raise untranslatable(name)
        if value is not False:
            raise Untranslatable(f"'{name}' cannot be served: {_REFUSED[name]}", param=name)
    if document.get("truncation") not in (None, "disabled"):
        raise untranslatable("truncation", "set it to 'disabled' and shorten 'input' yourself")
    only(document.get("stream_options") or {}, (), "stream_options")
    for index, name in enumerate(listed(document.get("include"), "include")):
        if str(name) not in _INCLUDED:
            raise untranslatable(f"include[{index}]")


def _reasoning(reasoning: Any) -> dict[str, Any]:
    known = {"context", "effort", "generate_summary", "mode", "summary"}
    effort = only(reasoning, known, "reasoning").get("effort")
    if reasoning.get("mode") not in (None, "standard"):
        raise untranslatable("reasoning.mode")
    if reasoning.get("context") not in (None, "auto", "all_turns"):
        raise untranslatable("reasoning.context", "choose what to send in 'input' yourself")
    return {} if effort is None else {"reasoning_effort": effort}


def _text(text: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    verbosity = only(text, {"format", "verbosity"}, "text").get("verbosity")
    if verbosity not in (None, "medium"):
        found["verbosity"] = verbosity
    wanted = text.get("format")
    if wanted is not None:
        kind = kind_of(wanted)
        if kind not in _FORMATS:
            raise untranslatable("text.format", "use 'text', 'json_object' or 'json_schema'")
        found |= _FORMATS[kind](wanted)
    return found


def _json_schema(wanted: Mapping[str, Any]) -> dict[str, Any]:
    names = ("name", "description", "schema", "strict")
    only(wanted, ("type", *names), "text.format")
    schema = {name: wanted[name] for name in names if wanted.get(name) is not None}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


_FORMATS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "text": lambda _: {},
    "json_object": lambda _: {"response_format": {"type": "json_object"}},
    "json_schema": _json_schema,
}


def _logprobs(document: Mapping[str, Any]) -> dict[str, Any]:
    wanted = document.get("top_logprobs")
    if not wanted and _LOGPROBS not in (document.get("include") or ()):
        return {}
    return {"logprobs": True, **({"top_logprobs": wanted} if wanted else {})}

"""How much a model on Bedrock is to reason.

`outputConfig.effort` is Converse's own field. Amazon's Nova models take their effort among the
model's own fields instead, of which `high` is the highest (AWS, Amazon Nova User Guide, "Extended
thinking"); theirs alone can be turned off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.chat_reading.fields import Fields
    from bursar.dialects.chat_reading.reasoning import Reasoning

_LOWEST: Final[Mapping[str, str]] = {"minimal": "low"}
_NOVA_EFFORTS: Final[Mapping[str, str]] = {**_LOWEST, "xhigh": "high", "max": "high"}


def effort_fields(wanted: Reasoning | None, model: str, request: Fields) -> dict[str, Any]:
    """The request's fields about reasoning; none where the model's default is wanted.

    Raises:
        Untranslatable: something else than an effort is asked for.
    """
    if wanted is None:
        return {}
    if wanted.budget_tokens is not None or wanted.is_hidden:
        raise request.refusal("reasoning", f"may only have an 'effort' for {request.dialect}")
    if ".nova-" in model.lower():
        return {"additionalModelRequestFields": {"reasoningConfig": _nova_config(wanted)}}
    if not wanted.is_on:
        raise request.refusal("reasoning_effort", f"cannot be 'none' for {request.dialect}")
    if wanted.effort is None:
        raise request.refusal("reasoning", f"needs an 'effort' for {request.dialect}")
    return {"outputConfig": {"effort": _LOWEST.get(wanted.effort, wanted.effort)}}


def _nova_config(wanted: Reasoning) -> dict[str, str]:
    if not wanted.is_on:
        return {"type": "disabled"}
    effort = wanted.effort or "medium"
    return {"type": "enabled", "maxReasoningEffort": _NOVA_EFFORTS.get(effort, effort)}

"""What a start on one machine prints for the person who started it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_RULE = "─" * 78


def greeting(
    *,
    url: str,
    engine: str,
    providers: Sequence[str],
    master_key: str | None,
    virtual_key: str | None,
    model: str | None,
    notices: Sequence[str],
) -> str:
    """The keys of this gateway and a line that works as pasted."""
    lines = [
        _RULE,
        f"Bursar is ready at {url}   (data: {engine}; providers: {', '.join(providers) or 'none'})",
        *notices,
        "",
        f"master key    {master_key or '(the one you set)'}",
        f"virtual key   {virtual_key or f'(issue one: POST {url}/v1/keys)'}",
    ]
    if virtual_key is not None and model is not None:
        lines += ["", "Try it:", "", curl_line(url, virtual_key, model), ""]
    elif model is None:
        lines += ["", "No model has a price yet: set one with POST /v1/pricing", ""]
    lines += [
        f"With an OpenAI SDK: base_url={url}/v1, api_key=<virtual key>",
        f"With Anthropic's: base_url={url}, auth_token=<virtual key>",
        _RULE,
    ]
    return "\n".join(lines)


def curl_line(url: str, virtual_key: str, model: str) -> str:
    """One command that asks a model something."""
    body = {"model": model, "messages": [{"role": "user", "content": "Say hello!"}]}
    words = [
        "curl",
        f"{url}/v1/chat/completions",
        "-H",
        f"Authorization: Bearer {virtual_key}",
        "-H",
        "Content-Type: application/json",
        "-d",
        json.dumps(body),
    ]
    return " ".join(shlex.quote(word) for word in words)

"""What somebody writes against any-llm's SDK: chats, one after the other, through the vault.

It reads a list of them as JSON and prints what came of each. A chat without a key of its own takes
ANY_LLM_KEY from the environment, as the SDK does. What is plain is asked synchronously; what is
streamed asynchronously, because older SDKs cannot do it otherwise.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from any_llm import AnyLLM  # type: ignore[import-not-found]

MESSAGES = [{"role": "user", "content": "Grüezi!"}]


def plain(llm: Any, request: dict[str, Any]) -> dict[str, Any]:
    answer = llm.completion(messages=MESSAGES, **request)
    return {"text": answer.choices[0].message.content, "usage": usage_of(answer)}


async def streamed(llm: Any, request: dict[str, Any]) -> dict[str, Any]:
    texts, usage = [], None
    async for chunk in await llm.acompletion(messages=MESSAGES, **request):
        texts += [choice.delta.content or "" for choice in chunk.choices]
        usage = usage_of(chunk) or usage
    return {"text": "".join(texts), "usage": usage}


def usage_of(answer: Any) -> list[int] | None:
    usage = answer.usage
    return usage and [usage.prompt_tokens, usage.completion_tokens]


def outcome_of(chat: dict[str, Any]) -> dict[str, Any]:
    """What was answered or raised."""
    request = chat["request"]
    try:
        llm = AnyLLM.create("openai", api_base=os.environ["PROVIDER_URL"], **chat["create"])
        if request.get("stream"):
            return asyncio.run(streamed(llm, request))
        return plain(llm, request)
    except Exception as error:  # noqa: BLE001 - the test says what it should be
        return {"raised": type(error).__name__, "says": str(error)}


if __name__ == "__main__":
    print(json.dumps([outcome_of(chat) for chat in json.load(sys.stdin)]))

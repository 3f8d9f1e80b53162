"""Asks a gateway's data plane as an application does, and keeps the time."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.waiting import waited_for
from bursar.cli.failures import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATH: Final = "/v1/chat/completions"
_TIMEOUT_S: Final = 120.0
_UNKNOWN: Final = 401
_FAULTS: Final = 500
_KNOWN_S: Final = 5.0
_DONE: Final = "[DONE]"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of the data plane."""

    status: int
    content: bytes

    @property
    def is_over_budget(self) -> bool:
        return self.status == 403 and self.error.get("code") == "budget_exceeded"

    @property
    def is_fault(self) -> bool:
        """Whether the gateway or its store failed; a provider that has no key yet is none."""
        return self.status >= _FAULTS and self.error.get("code") != "not_configured"

    @property
    def error(self) -> Mapping[str, Any]:
        """What OpenAI's SDKs read of an error; empty where it is something else."""
        try:
            error = json.loads(self.content)["error"]
        except (ValueError, KeyError, TypeError):
            return {}
        return error if isinstance(error, dict) else {}

    @property
    def told(self) -> str:
        """The error in a line."""
        return f"{self.status}: {self.error.get('message') or 'no reason given'}"


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of a streamed answer, and when it came, in seconds since the request was sent."""

    text: str
    at_s: float


@dataclass(frozen=True, slots=True)
class DataPlane:
    """Where it is."""

    url: str

    def wait_until_known(self, key: str) -> None:
        """Wait until a key that was just issued is accepted; reads may be some moments old.

        Raises:
            Failed: nothing answers.
        """
        import httpx2  # noqa: PLC0415 (half of what starting this command would cost)

        def status() -> int:
            try:
                return httpx2.get(
                    f"{self.url}/v1/models", headers=_headers(key), timeout=_TIMEOUT_S
                ).status_code
            except httpx2.HTTPError as error:
                raise self._silent(error) from None

        waited_for(status, lambda found: found != _UNKNOWN, _KNOWN_S)

    def ask(self, key: str, body: Mapping[str, Any]) -> Answer:
        """Send one request.

        Raises:
            Failed: nothing answers.
        """
        import httpx2  # noqa: PLC0415 (half of what starting this command would cost)

        try:
            answer = httpx2.post(
                self.url + _PATH, json=body, headers=_headers(key), timeout=_TIMEOUT_S
            )
        except httpx2.HTTPError as error:
            raise self._silent(error) from None
        return Answer(answer.status_code, answer.content)

    def ask_at_once(self, key: str, body: Mapping[str, Any], times: int) -> list[Answer]:
        """Send one request many times, all before the first is answered.

        Raises:
            Failed: one of them is not answered.
        """
        return asyncio.run(self._at_once(key, body, times))

    async def _at_once(self, key: str, body: Mapping[str, Any], times: int) -> list[Answer]:
        import httpx2  # noqa: PLC0415 (as above)

        limits = httpx2.Limits(max_connections=times)
        async with httpx2.AsyncClient(timeout=_TIMEOUT_S, limits=limits) as client:
            asked = [
                client.post(self.url + _PATH, json=body, headers=_headers(key))
                for _ in range(times)
            ]
            try:
                answers = await asyncio.gather(*asked)
            except httpx2.HTTPError as error:
                raise self._silent(error) from None
        return [Answer(answer.status_code, answer.content) for answer in answers]

    @contextmanager
    def stream(self, key: str, body: Mapping[str, Any]) -> Iterator[Iterator[Word]]:
        """Give a streamed answer's words as they come; leaving early drops the connection.

        Raises:
            Failed: it is refused, or breaks.
        """
        import httpx2  # noqa: PLC0415 (as above)

        begun_s = time.monotonic()
        streamed = {**body, "stream": True}
        try:
            with httpx2.stream(
                "POST", self.url + _PATH, json=streamed, headers=_headers(key), timeout=_TIMEOUT_S
            ) as answer:
                if answer.status_code != 200:
                    refused = Answer(answer.status_code, answer.read())
                    raise Failed(f"The stream was refused with {refused.told}")
                yield _words(answer.iter_lines(), begun_s)
        except httpx2.HTTPError as error:
            raise self._silent(error) from None

    def _silent(self, error: Exception) -> Failed:
        return Failed(f"{self.url} does not answer to an application ({type(error).__name__})")


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _words(lines: Iterator[str], begun_s: float) -> Iterator[Word]:
    for line in lines:
        at_s = time.monotonic() - begun_s
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == _DONE:
            continue
        text = _text_of(data)
        if text:
            yield Word(text, at_s)


def _text_of(data: str) -> str:
    try:
        choices = json.loads(data).get("choices") or [{}]
        delta = choices[0].get("delta") or {}
        # What a model thinks before it answers streams as well, under either name.
        parts = (delta.get(name) for name in ("content", "reasoning_content", "reasoning"))
        return "".join(part for part in parts if isinstance(part, str))
    except (ValueError, AttributeError, KeyError, IndexError):
        return ""

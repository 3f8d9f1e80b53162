"""What a first deployment does once its stack stands, against a gateway that is really there."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2

from infra.deployment import kept
from infra.deployment.steps import Deployment as Steps
from infra.deployment.steps import Wanted
from tests.e2e.gateway_process import MASTER_KEY
from tests.engines import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.deployment import Deployment


@dataclass
class Stack:
    """A stack whose API is the gateway."""

    url: str
    region: str = "eu-central-1"
    stands: bool = False

    def outputs(self, stack: str) -> Mapping[str, str] | None:
        return {"ApiUrl": self.url, "ProviderKeysPath": f"/{stack}"} if self.stands else None

    def keep_provider_key(self, path: str, provider: str, api_key: str) -> None:
        raise AssertionError((path, provider, len(api_key)))


def test_the_printed_line_streams_an_answer_and_a_second_run_makes_no_second_key(
    deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "functions/server").mkdir(parents=True)
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    kept.save(tmp_path / ".bursar/bursar-dev.json", kept.Kept(master_key=MASTER_KEY))
    said: list[str] = []
    with deployment.running(mock="true") as gateway:
        stack = Stack(gateway.url)
        steps = Steps(
            tmp_path, stack, lambda command: setattr(stack, "stands", bool(command)), said.append
        )
        steps.carry_out(Wanted("dev"))
        keys = gateway.admin("GET", "/v1/keys")
        steps.carry_out(Wanted("dev"))
        assert gateway.admin("GET", "/v1/keys") == keys
        answer = pasted(said[-1])

    (key,) = [it for it in keys if it["key_name"] == "first deployment"]
    assert key["budget_id"] is not None
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.rstrip().endswith("data: [DONE]")


def pasted(said: str) -> httpx2.Response:
    """Do what the curl line says."""
    words = shlex.split(said.partition("\n\n")[2])
    assert words[:2] == ["curl", "-N"]
    given = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    headers = dict(line.split(": ", 1) for line in given)
    return httpx2.post(words[2], headers=headers, content=words[-1].encode(), timeout=20)

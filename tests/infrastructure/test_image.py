"""The image and the compose file: valid, unprivileged, and made of files that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.engines import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMPOSE = ROOT / "infra" / "compose.yaml"
DOCKERFILE = ROOT / "infra" / "Dockerfile"

INSTRUCTIONS = {"FROM", "WORKDIR", "RUN", "ENV", "COPY", "USER", "VOLUME", "EXPOSE"}
INSTRUCTIONS |= {"HEALTHCHECK", "CMD"}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    return [(name, re.sub(r"\s+", " ", rest)) for name, rest in found]


def last_stage() -> list[tuple[str, str]]:
    everything = instructions()
    start = max(index for index, (name, _) in enumerate(everything) if name == "FROM")
    return everything[start:]


def copied_from_the_tree() -> Iterator[str]:
    for name, rest in instructions():
        if name == "COPY" and "--from=" not in rest:
            yield from rest.split()[:-1]


def ignored_except() -> set[str]:
    lines = (ROOT / "infra" / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in lines
    return {line.removeprefix("!") for line in lines if line.startswith("!")}


def test_the_dockerfile_has_only_instructions_that_exist() -> None:
    assert {name for name, _ in instructions()} <= INSTRUCTIONS


def test_everything_the_image_copies_is_there_and_reaches_the_builder() -> None:
    sources = set(copied_from_the_tree())
    assert sources
    assert all((ROOT / source).exists() for source in sources)
    assert sources == ignored_except()


def test_the_image_is_built_in_stages_and_keeps_no_installer() -> None:
    bases = [rest for name, rest in instructions() if name == "FROM"]
    assert bases == ["python:3.13-slim AS build", "python:3.13-slim"]
    assert any(
        "uv pip uninstall hatchling pip uv" in rest
        for name, rest in instructions()
        if name == "RUN"
    )


def test_every_install_from_a_registry_checks_hashes() -> None:
    commands = [part for name, rest in instructions() if name == "RUN" for part in rest.split("&&")]
    installs = [it for it in commands if "pip install" in it]
    assert installs
    assert all("--require-hashes" in it or it.split()[-1] == "." for it in installs)


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    users = [rest for name, rest in last_stage() if name == "USER"]
    assert users == ["10001:10001"]


def test_the_image_starts_the_server_and_holds_no_secret() -> None:
    assert json.loads(last_stage()[-1][1]) == ["python", "-m", "functions.server"]
    assert not re.search(r"KEY|TOKEN|SECRET|PASSWORD", DOCKERFILE.read_text())


def test_the_health_check_is_a_program_that_runs(free_port_nobody_answers_on: int) -> None:
    (check,) = [rest for name, rest in last_stage() if name == "HEALTHCHECK"]
    _, program, code = json.loads(check[check.index("[") :])
    assert program == "-c"
    assert "/health/liveness" in code

    result = subprocess.run(
        ["python3", "-c", code],
        env={"BURSAR_PORT": str(free_port_nobody_answers_on), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "ConnectionRefusedError" in result.stderr


def test_the_gateway_waits_for_an_engine_that_keeps_its_data() -> None:
    services = compose()["services"]
    gateway, engine = services["gateway"], services["engine"]
    assert gateway["depends_on"] == {"engine": {"condition": "service_healthy"}}
    assert gateway["environment"]["DYNAMODB_ENDPOINT"] == "http://engine:8000"
    assert engine["healthcheck"]["test"][0] == "CMD"
    assert re.fullmatch(r"\S+:\d+\.\d+\.\d+", engine["image"])
    arguments = engine["command"]
    assert arguments[arguments.index("--db-path") + 1].startswith("/data/")
    assert engine["volumes"] == ["engine:/data"]
    assert set(compose()["volumes"]) == {"engine", "gateway"}


def test_only_the_gateway_is_published_and_only_on_loopback() -> None:
    services = compose()["services"]
    assert "ports" not in services["engine"]
    assert all(port.startswith("127.0.0.1:") for port in services["gateway"]["ports"])


def test_the_compose_file_builds_our_dockerfile_and_holds_no_secret() -> None:
    gateway = compose()["services"]["gateway"]
    context = (COMPOSE.parent / gateway["build"]["context"]).resolve()
    assert context == ROOT
    assert (context / gateway["build"]["dockerfile"]) == DOCKERFILE
    secrets = {name: it for name, it in gateway["environment"].items() if name.endswith("_KEY")}
    assert secrets
    assert set(secrets.values()) == {None}


def test_no_service_keeps_privileges() -> None:
    for service in compose()["services"].values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_docker_compose_accepts_the_file() -> None:
    if shutil.which("docker") is None or not _has_compose():
        pytest.skip("docker compose is not on this machine")
    command = ["docker", "compose", "-f", str(COMPOSE), "config", "--quiet"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def _has_compose() -> bool:
    command = ["docker", "compose", "version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def free_port_nobody_answers_on(tmp_path: Path) -> int:
    from functions.server.dynoxide import free_port  # noqa: PLC0415

    return free_port()

"""What was opened for a request is forgotten with it, and shows nowhere meanwhile."""

from __future__ import annotations

import traceback
from dataclasses import replace
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING

from bursar.domain.errors import BursarError, UpstreamBroken, UpstreamUnreachable
from bursar.domain.models import parse_model
from bursar.services.credentials import Credential
from bursar.services.policy import Policy
from bursar.services.vault_opening import vault_key_of
from tests.fakes.scripted_upstream import (
    DONE,
    ScriptedAnswer,
    completion,
    delta,
    stream,
    usage_chunk,
)
from tests.fakes.sealed_project import SEALED, SealedProject
from tests.fakes.world import MODEL, World, drained

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

QUOTING = f'{{"error": {{"message": "Incorrect API key provided: {SEALED}"}}}}'.encode()
TROUBLES: list[ScriptedAnswer | Exception] = [
    completion(),
    *[ScriptedAnswer(status=status, script=[QUOTING]) for status in (400, 401, 403, 429, 500)],
    UpstreamUnreachable("no connection"),
    RuntimeError(f"a client that shows what it sent: {SEALED}"),
]


async def _project(world: World) -> SealedProject:
    await world.price()
    project = await SealedProject.founded(world.storage, world.clock)
    await project.seal()
    return project


async def _shown(world: World, key: str) -> list[str]:
    """Everything that a caller is answered, or a log could say, while much goes wrong."""
    shown = []
    for trouble in TROUBLES:
        world.upstream.answer = trouble
        try:
            answer = await world.chat(key)
        except BursarError as error:
            shown += [repr(error), error.message, *traceback.format_exception(error)]
        except RuntimeError:
            continue
        else:
            shown += [repr(answer), str(getattr(answer, "body", b""))]
        world.pass_time(seconds=1)
    world.upstream.answer = stream(delta("hi"), UpstreamBroken("broke off"))
    shown.append(repr(await drained(await world.chat(key, stream=True))))
    return shown


async def test_no_key_shows_in_answers_errors_books_metrics_or_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    project = await _project(world)
    virtual_key, vault_key = await project.issue(), project.vault.text()
    private = vault_key.rpartition("-")[2]
    shown = await _shown(world, virtual_key) + await _shown(world, vault_key)
    records = await world.records()
    said = [*shown, caplog.text, repr(records), repr(world.observed), repr(world.upstream.requests)]
    assert len(records) == 18
    assert world.upstream.requests[0].headers["authorization"] == f"Bearer {SEALED}"
    for secret in (SEALED, virtual_key, vault_key, private):
        assert not [text for text in said if secret in text]
    assert "[provider key]" in repr(records)


async def test_what_carries_a_key_through_a_request_does_not_represent_it() -> None:
    world = World()
    project = await _project(world)
    key = await project.issue()
    credential = await world.identity.authenticate(key)
    target = await world.vaults.find(credential, project.project_id, parse_model(MODEL))
    assert target.api_key == SEALED
    shown = repr((credential, target, vault_key_of(project.vault.text())))
    assert "Credential" in shown
    assert SEALED not in shown
    assert key not in shown


def _reachable(root: object) -> Iterator[object]:
    """Everything that an object of ours holds on to, through whatever it is built of."""
    seen: set[int] = set()
    found = [root]
    while found:
        one = found.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        yield one
        found.extend(_parts(one))


def _parts(one: object) -> list[object]:
    if isinstance(one, dict):
        return [*one.keys(), *one.values()]
    if isinstance(one, list | tuple | set | frozenset):
        return list(one)
    if isinstance(one, MethodType):
        return [one.__self__]
    if isinstance(one, partial):
        return [one.func, *one.args, *one.keywords.values()]
    if type(one).__module__.partition(".")[0] not in {"bursar", "tests"}:
        return []
    slots = [name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
    names = {*slots, *getattr(one, "__dict__", {})}
    return [getattr(one, name) for name in names if hasattr(one, name)]


async def test_nothing_that_was_opened_is_kept_after_the_request() -> None:
    world = World(Policy(directory_age_s=3600))
    project = await _project(world)
    private = project.vault.private_key.raw
    key, vault_key = await project.issue(), project.vault.text()
    for text in (key, vault_key):
        world.upstream.answer = completion()
        await world.chat(text)
        world.upstream.answer = stream(delta("hi"), usage_chunk(), DONE)
        await drained(await world.chat(text, stream=True))
    assert all(SEALED in str(sent.headers) for sent in world.upstream.requests)
    world.upstream.requests.clear()
    kept = list(_reachable(world.completion))
    sealed = await project.platform.provider_keys(project.project_id).page(skip=0, limit=1)
    assert sealed[0].encrypted_key in kept  # it does look into what is remembered
    for secret in (SEALED, key, vault_key):
        assert not [one for one in kept if isinstance(one, str) and secret in one]
    assert private not in kept
    assert not [one for one in kept if isinstance(one, Credential)]


async def test_a_search_that_finds_nothing_would_find_a_key_that_was_kept() -> None:
    world = World()
    kept = replace(world.completion, observe=partial(print, Credential("gw-kept")))
    assert "gw-kept" in list(_reachable(kept))

"""How the app becomes a handler: where it streams, where it cannot, and where it must not."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from functions.proxy.on_lambda.runtime import LambdaFunction, Pending, hook, lambda_handler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

_EVENTS = Path(__file__).parents[3] / "events"
_MODELS = json.loads((_EVENTS / "rest-models.json").read_text())


class Context:
    aws_request_id = "7c1f0d53-0a61-4a7e-9d2c-6b1f4a0e8b1d"

    def __init__(self, remaining_ms: int = 60_000) -> None:
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        return self._remaining_ms


async def _models(_: Request) -> JSONResponse:
    return JSONResponse({"object": "list"})


def app() -> Starlette:
    return Starlette(routes=[Route("/v1/models", _models)])


@pytest.fixture
def whole() -> Iterator[LambdaFunction]:
    """A function in a process that nothing streams for."""
    function = LambdaFunction(app(), None)
    yield function
    function.close()


def a_runtime() -> tuple[dict[str, object], list[tuple[Any, ...]]]:
    """Modules that look like the runtime's, and what they posted."""
    posted: list[tuple[Any, ...]] = []

    class Base:
        def post_invocation_result(
            self,
            invoke_id: str,
            result_data: bytes,
            content_type: str = "application/json",
            invocation_id: str | None = None,
        ) -> None:
            posted.append((invoke_id, result_data, content_type, invocation_id))

    class LambdaRuntimeClient(Base):
        pass

    def handle_event_request(client: Base, result: bytes) -> None:
        client.post_invocation_result("i1", result, "application/unknown", "x1")

    modules: dict[str, object] = {
        "awslambdaric.lambda_runtime_client": SimpleNamespace(
            LambdaRuntimeClient=LambdaRuntimeClient
        ),
        "awslambdaric.bootstrap": SimpleNamespace(handle_event_request=handle_event_request),
    }
    return modules, posted


def post_through(modules: dict[str, object], result: bytes) -> None:
    client: Any = modules["awslambdaric.lambda_runtime_client"]
    runtime: Any = modules["awslambdaric.bootstrap"]
    runtime.handle_event_request(client.LambdaRuntimeClient(), result)


class Remembered(Pending):
    streamed: list[tuple[str, str | None]]

    def stream(self, invoke_id: str, invocation_id: str | None) -> None:
        self.streamed.append((invoke_id, invocation_id))


def test_a_known_runtime_streams_what_is_pending_and_posts_all_else() -> None:
    modules, posted = a_runtime()
    assert hook(modules)
    pending = Remembered(b"sorry")
    pending.streamed = []
    post_through(modules, pending)
    post_through(modules, b"whole")
    assert pending.streamed == [("i1", "x1")]
    assert posted == [("i1", b"whole", "application/unknown", "x1")]


def test_a_runtime_is_extended_once() -> None:
    modules, posted = a_runtime()
    assert hook(modules)
    assert hook(modules)
    pending = Remembered(b"sorry")
    pending.streamed = []
    post_through(modules, pending)
    assert (pending.streamed, posted) == ([("i1", "x1")], [])


def _without_client(modules: dict[str, object]) -> None:
    del modules["awslambdaric.lambda_runtime_client"]


def _posting_otherwise(modules: dict[str, object]) -> None:
    def handle_event_request(client: Any, result: bytes) -> None:
        client.send_result("i1", result)

    modules["awslambdaric.bootstrap"] = SimpleNamespace(handle_event_request=handle_event_request)


def _with_other_arguments(modules: dict[str, object]) -> None:
    class LambdaRuntimeClient:
        def post_invocation_result(self, invocation: object) -> None: ...

    modules["awslambdaric.lambda_runtime_client"] = SimpleNamespace(
        LambdaRuntimeClient=LambdaRuntimeClient
    )


def _in_another_language(modules: dict[str, object]) -> None:
    class LambdaRuntimeClient:
        post_invocation_result = print

    modules["awslambdaric.lambda_runtime_client"] = SimpleNamespace(
        LambdaRuntimeClient=LambdaRuntimeClient
    )


@pytest.mark.parametrize(
    "change", [_without_client, _posting_otherwise, _with_other_arguments, _in_another_language]
)
def test_a_runtime_that_is_not_as_expected_is_left_alone(
    change: Callable[[dict[str, object]], None],
) -> None:
    modules, posted = a_runtime()
    change(modules)
    before = dict(modules)
    assert not hook(modules)
    assert modules == before
    assert posted == []


def test_where_nothing_streams_an_answer_is_whole_and_in_the_same_format(
    whole: LambdaFunction,
) -> None:
    answer = whole(_MODELS, Context())
    assert answer is not None
    prelude, _, body = answer.partition(bytes(8))
    assert json.loads(prelude)["statusCode"] == 200
    assert json.loads(body) == {"object": "list"}


def test_what_is_not_an_http_request_is_ignored(whole: LambdaFunction) -> None:
    assert whole(json.loads((_EVENTS / "schedule.json").read_text()), Context()) is None


def test_a_pending_answer_that_nobody_streams_is_an_apology_in_the_same_format() -> None:
    function = LambdaFunction(app(), "127.0.0.1:1")
    answer = function(_MODELS, Context())
    function.close()
    assert answer is not None
    prelude, _, body = bytes(answer).partition(bytes(8))
    assert json.loads(prelude)["statusCode"] == 500
    assert json.loads(body)["error"]["type"] == "server_error"


def test_one_loop_serves_every_invocation_so_that_connections_are_kept(
    whole: LambdaFunction,
) -> None:
    assert whole(_MODELS, Context()) == whole(_MODELS, Context())
    seen: list[object] = []

    async def remember() -> None:
        seen.append(asyncio.get_running_loop())

    whole.let_go([remember])
    whole.let_go([remember])
    assert seen[0] is seen[1]


def test_a_runtime_api_that_is_not_there_ends_the_process() -> None:
    function = LambdaFunction(app(), "127.0.0.1:1")
    pending = function(_MODELS, Context())
    assert isinstance(pending, Pending)
    with pytest.raises(ConnectionRefusedError):
        pending.stream("i1", None)
    function.close()


def test_a_restored_function_has_randomness_and_connections_of_its_own(
    whole: LambdaFunction,
) -> None:
    closed: list[str] = []

    async def close() -> None:
        closed.append("store")

    random.seed(1)
    before = random.getstate()
    whole.let_go([close])
    assert random.getstate() != before
    assert closed == ["store"]


@pytest.fixture
def a_loop() -> Iterator[None]:
    """Mangum takes the thread's loop, and would leave one that it had to make."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def test_on_a_developers_machine_the_answer_is_the_classic_one(a_loop: None) -> None:
    handler = lambda_handler(app(), {"AWS_SAM_LOCAL": "true", "AWS_LAMBDA_RUNTIME_API": "x:1"})
    answer = handler(_MODELS, Context())
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"object": "list"})


def test_a_function_has_answered_once_before_its_first_event() -> None:
    asked: list[str] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await app()(scope, receive, send)

    handler = lambda_handler(watched, {})
    assert asked == ["/health"]
    assert isinstance(handler, LambdaFunction)
    handler.close()

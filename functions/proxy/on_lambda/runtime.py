"""The app as a Lambda function that streams, under the managed Python runtime.

That runtime posts what a handler returns, whole, and has no way to stream. Two ways around it were
tried and work:

- *In the handler*, which is what this is: the runtime's loop stays, and one method of its client is
  extended. Where it would post a result that is a `Pending`, the answer is streamed to the Runtime
  API instead. The runtime goes on doing all else: the context and the trace's environment variable,
  the hooks around a snapshot, errors of the start, and its logs through Lambda's own channel.
- *A loop of our own* behind AWS_LAMBDA_EXEC_WRAPPER speaks the documented Runtime API alone, but
  that covers no more than invocations. The framing of logs and the call by which a restored
  snapshot begins are the runtime's own; they would be copied, and kept up to date by hand.

The extended method, `post_invocation_result(invoke_id, result, content_type, invocation_id)`, is no
public interface, so three things hold it. `hook` looks whether the runtime is as expected; where it
is not, nothing is touched, and answers go out whole in the same format, as bytes, which a runtime
posts as they are. The tests run the runtime's client as it is published. And a deployed function
keeps the runtime that it was released with, if its runtime is updated with the function only.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import logging
import random
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import msgspec

from bursar.dialects.openai_errors import body_of, status_of
from bursar.domain.errors import INTERNAL_ERROR
from functions.proxy.on_lambda import wire
from functions.proxy.on_lambda.events import request_of
from functions.proxy.on_lambda.serving import Deadlines, serve
from functions.proxy.on_lambda.sinks import ResponsePost, Whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.types import ASGIApp

    from functions.proxy.on_lambda.events import LambdaRequest

    Close = Callable[[], Awaitable[None]]
    Handler = Callable[[Any, Any], Any]

_LOG = logging.getLogger(__name__)
_WARM_UP_S: Final = 10.0
_WARM_UP: Final = {
    "requestContext": {},
    "httpMethod": "GET",
    "resource": "/health",
    "path": "/health",
}


class Context(Protocol):
    """What is used of Lambda's context object."""

    @property
    def aws_request_id(self) -> str: ...

    def get_remaining_time_in_millis(self) -> int: ...


class Pending(bytes):
    """An answer that is given when it is posted.

    As bytes it is an apology in the streamed format: what a caller gets, and nothing is spent on,
    should a changed runtime take it for a result.
    """

    function: LambdaFunction
    request: LambdaRequest
    deadlines: Deadlines

    def stream(self, invoke_id: str, invocation_id: str | None) -> None:
        """Give the answer; returns when it is over and its books are closed.

        Raises:
            OSError: the Runtime API cannot be reached.
        """
        self.function.stream(self.request, self.deadlines, invoke_id, invocation_id)


_APOLOGY: Final = wire.prelude(
    status_of(INTERNAL_ERROR), [(b"content-type", b"application/json")]
) + msgspec.json.encode(body_of(INTERNAL_ERROR))


class LambdaFunction:
    """A handler over one ASGI app and one event loop, which keeps its connections while it lives.

    Args:
        app: the app.
        runtime_api: host and port to stream to; None answers whole.
    """

    def __init__(self, app: ASGIApp, runtime_api: str | None) -> None:
        self._app = app
        self._runtime_api = runtime_api
        self._loop = asyncio.new_event_loop()

    def __call__(self, event: object, context: Context) -> bytes | None:
        """Answer an HTTP request; any other event is none of this function's business."""
        request = request_of(event)
        if request is None:
            _LOG.debug("an event that is no HTTP request was ignored")
            return None
        deadlines = Deadlines.within(context.get_remaining_time_in_millis() / 1000)
        if self._runtime_api is None:
            return self._loop.run_until_complete(self._whole(request, deadlines))
        pending = Pending(_APOLOGY)
        pending.function, pending.request, pending.deadlines = self, request, deadlines
        return pending

    def stream(
        self,
        request: LambdaRequest,
        deadlines: Deadlines,
        invoke_id: str,
        invocation_id: str | None,
    ) -> None:
        post = ResponsePost(self._runtime_api or "", invoke_id, invocation_id)
        self._loop.run_until_complete(self._streamed(post, request, deadlines))

    def warm_up(self) -> None:
        """Answer a request that costs nothing, while the processor is still free of charge."""
        request = request_of(_WARM_UP)
        if request is not None:
            deadlines = Deadlines.within(_WARM_UP_S)
            self._loop.run_until_complete(self._whole(request, deadlines))

    def let_go(self, connections: Sequence[Close]) -> None:
        """Be as new after a snapshot was restored: own randomness, no connection of its maker."""
        random.seed()
        for close in connections:
            self._loop.run_until_complete(close())
        _LOG.info("restored from a snapshot")

    def close(self) -> None:
        self._loop.close()

    async def _streamed(
        self, post: ResponsePost, request: LambdaRequest, deadlines: Deadlines
    ) -> None:
        # One turn of the loop: what was closed while the process was frozen is known afterwards.
        await asyncio.sleep(0)
        try:
            await serve(self._app, request, post, deadlines)
        finally:
            await post.close()

    async def _whole(self, request: LambdaRequest, deadlines: Deadlines) -> bytes:
        sink = Whole()
        await serve(self._app, request, sink, deadlines)
        return bytes(sink.body)


def lambda_handler(
    app: ASGIApp, environ: Mapping[str, str], *, connections: Sequence[Close] = ()
) -> Handler:
    """Make the handler of this process, ready for its first request.

    Args:
        app: the ASGI app.
        environ: says whether this is Lambda, or SAM on a developer's machine, whose emulation does
            not stream and wants the classic answer.
        connections: close what is kept open between requests and must not outlive a snapshot.
    """
    if environ.get("AWS_SAM_LOCAL"):
        from mangum import Mangum  # noqa: PLC0415 (slow to import, and needed nowhere else)

        handler: Handler = Mangum(cast("Any", app), lifespan="off")
        return handler
    runtime_api = environ.get("AWS_LAMBDA_RUNTIME_API") if hook() else None
    function = LambdaFunction(app, runtime_api)
    function.warm_up()
    _after_restore(lambda: function.let_go(connections))
    return function


_CLIENT: Final = "LambdaRuntimeClient"
_HANDLE: Final = "handle_event_request"
_POST: Final = "post_invocation_result"


def hook(modules: Mapping[str, object] = sys.modules) -> bool:
    """Have the runtime of this process stream what is `Pending`; tell whether it will.

    Args:
        modules: those that are imported; the runtime is among them if it runs this process.
    """
    client = getattr(modules.get("awslambdaric.lambda_runtime_client"), _CLIENT, None)
    loop = getattr(modules.get("awslambdaric.bootstrap"), _HANDLE, None)
    if not (inspect.isclass(client) and inspect.isfunction(loop)):
        return False
    if _POST not in loop.__code__.co_names or not _takes_results(getattr(client, _POST, None)):
        _LOG.warning("this Python runtime is not known: answers are not streamed")
        return False
    owner = next(it for it in client.__mro__ if _POST in vars(it))
    if not hasattr(vars(owner)[_POST], "__wrapped__"):
        setattr(owner, _POST, _streaming(vars(owner)[_POST]))
    return True


def _takes_results(post: object) -> bool:
    if not inspect.isfunction(post):
        return False
    names = list(inspect.signature(post).parameters)
    return names[1:3] == ["invoke_id", "result_data"]


def _streaming(post: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(post)
    def post_invocation_result(
        client: object, invoke_id: str, result_data: object, *rest: Any, **named: Any
    ) -> None:
        if isinstance(result_data, Pending):
            # Older runtimes pass no content type's successor, the invocation's own id.
            invocation_id = named.get("invocation_id", rest[1] if len(rest) > 1 else None)
            result_data.stream(invoke_id, invocation_id)
        else:
            post(client, invoke_id, result_data, *rest, **named)

    return post_invocation_result


def _after_restore(work: Callable[[], None]) -> None:
    """Register with SnapStart, whose module is there in Lambda only."""
    with suppress(ImportError):
        importlib.import_module("snapshot_restore_py").register_after_restore(work)

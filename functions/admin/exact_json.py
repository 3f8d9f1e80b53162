"""JSON whose numbers keep all their digits, both ways: money never passes through a float."""

import json
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from bursar.domain.errors import RequestTooLarge

_BODY_BYTES_MAX = 1024 * 1024
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


class ExactJSONResponse(Response):
    """JSON in which a Decimal is a number."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return _ENCODER.encode(content)


class ExactRequest(Request):
    """A request whose JSON has Decimals where floats would be, and neither NaN nor Infinity."""

    _body: bytes

    async def read(self) -> None:
        """Read the body, which the framework would do without a limit.

        Raises:
            RequestTooLarge: more than a mebibyte.
        """
        body = bytearray()
        async for chunk in self.stream():
            body += chunk
            if len(body) > _BODY_BYTES_MAX:
                raise RequestTooLarge("The body is larger than the 1 MiB that is read")
        self._body = bytes(body)

    async def json(self) -> Any:
        body = await self.body()
        try:
            return _DECODER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from None


class ExactRoute(APIRoute):
    """A route that reads its body exactly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_exactly(request: Request) -> Response:
            exact = ExactRequest(request.scope, request.receive)
            await exact.read()
            return await handle(exact)

        return handle_exactly


def answer(content: BaseModel | Sequence[BaseModel]) -> ExactJSONResponse:
    """Answer with a model, or an array of them.

    The framework would write a Decimal as a string, so routes answer with finished responses and
    only document their models.
    """
    if isinstance(content, BaseModel):
        return ExactJSONResponse(content.model_dump())
    return ExactJSONResponse([item.model_dump() for item in content])

"""Log lines: JSON, with the request's ids on each."""

from __future__ import annotations

import asyncio
import io
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bursar.telemetry.context import bind
from bursar.telemetry.logs import JsonFormatter, configure_logs

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a logger of its own writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("stack"))
    logger = logging.getLogger("tests.lines")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)


LOG = logging.getLogger("tests.lines")


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_what_and_who_in_json(written: io.StringIO) -> None:
    LOG.info("%d holds", 3, extra={"subject": "user/alice", "amount_usd": Decimal("0.10")})
    (line,) = lines_of(written)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "INFO",
        "message": "3 holds",
        "logger": "tests.lines",
        "service": "stack",
        "subject": "user/alice",
        "amount_usd": "0.10",
    }


def test_a_time_is_rfc_3339_as_lambda_asks_for() -> None:
    record = logging.makeLogRecord({"created": 1_795_000_000.1236, "levelname": "INFO"})
    line = msgspec.json.decode(JsonFormatter("stack").format(record))
    assert line["timestamp"] == "2026-11-18T11:06:40.123Z"


async def test_requests_at_the_same_time_do_not_mix_their_ids(written: io.StringIO) -> None:
    async def request(identifier: str) -> None:
        bind(request_id=identifier)
        await asyncio.sleep(0)
        LOG.info("half way")
        await asyncio.create_task(deeper(identifier))

    async def deeper(said: str) -> None:
        LOG.info("deeper", extra={"expected": said})

    await asyncio.gather(request("a"), request("b"))
    LOG.info("outside")
    lines = lines_of(written)
    assert sorted(it["request_id"] for it in lines if "request_id" in it) == ["a", "a", "b", "b"]
    assert all(it["request_id"] == it["expected"] for it in lines if "expected" in it)
    assert "request_id" not in lines[-1]


async def test_a_request_keeps_what_its_invocation_bound(written: io.StringIO) -> None:
    bind(aws_request_id="an-invocation")
    bind(request_id="a-request")
    LOG.info("both", extra={"request_id": "another"})
    (line,) = lines_of(written)
    assert (line["aws_request_id"], line["request_id"]) == ("an-invocation", "another")


def test_an_exception_is_one_line_with_its_traceback(written: io.StringIO) -> None:
    try:
        int("of\ntwo lines")
    except ValueError:
        LOG.exception("failed")
    (line,) = lines_of(written)
    assert line["exception_name"] == "ValueError"
    assert "Traceback" in line["exception"]


def test_what_cannot_be_json_is_written_as_text(written: io.StringIO) -> None:
    LOG.info("odd", extra={"it": object, "pair": {1, 2}})
    (line,) = lines_of(written)
    assert line["it"] == "<class 'object'>"


def test_handlers_that_were_there_are_replaced_and_loud_libraries_are_quiet() -> None:
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    root.handlers[:] = [logging.NullHandler()]
    try:
        configure_logs("DEBUG", stream)
        logging.getLogger("anything").debug("here")
        logging.getLogger("botocore.auth").debug("a signature")
        assert [line["message"] for line in lines_of(stream)] == ["here"]
    finally:
        root.handlers[:] = before
        root.setLevel(level)

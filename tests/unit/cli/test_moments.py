from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bursar.cli.moments import as_sent, read_past

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("7d", timedelta(days=7)),
        ("24h", timedelta(hours=24)),
        ("30m", timedelta(minutes=30)),
        ("2w", timedelta(weeks=2)),
        ("45s", timedelta(seconds=45)),
        ("0s", timedelta(0)),
    ],
)
def test_a_length_of_time_is_before_now(text: str, ago: timedelta) -> None:
    assert read_past(text, NOW) == NOW - ago


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_dates_are_utc_unless_they_say_otherwise(text: str, moment: datetime) -> None:
    assert read_past(text, NOW) == moment
    assert read_past(text, NOW).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "yesterday", "7", "d", "-7d", "7 d", "31.1.2026", "999999999w", "0001-01-01T00+14"]
)
def test_what_is_no_moment_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="as in 7d"):
        read_past(text, NOW)


def test_a_moment_is_sent_as_the_api_takes_it() -> None:
    assert as_sent(NOW) == "2026-11-25T12:00:00Z"
    assert as_sent(None) is None

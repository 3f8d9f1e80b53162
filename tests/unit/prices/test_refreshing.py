"""What is checked in is what the pinned data compile to; a change is shown before it is taken."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from infra.prices import __main__ as command
from infra.prices import files, packages
from infra.prices.difference import difference, summary
from infra.prices.doubts import doubtful
from infra.prices.limits import extracted
from infra.prices.rates import standard_of
from infra.prices.supplement import supplemented

if TYPE_CHECKING:
    from pathlib import Path

types = pytest.importorskip("genai_prices.types")


def a_shard(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "names": {row["id"]: number for number, row in enumerate(rows)},
        "rules": [],
        "rows": list(rows),
    }


def a_row(name: str = "gpt", rate: Any = "2", **fields: Any) -> dict[str, Any]:
    return {"id": name, "prices": [{"rates": {"input": rate}}], **fields}


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    lines = difference({"openai": a_shard(before)}, {"openai": a_shard(after)})
    return [line.removeprefix("openai:gpt").strip() for line in lines]


def test_what_is_checked_in_is_what_the_pinned_data_compile_to() -> None:
    index = files.load_index()
    fetched = pinned()
    if fetched.versions != index["sources"]:
        pytest.skip(f"genai-prices {packages.installed_version()} is installed: run make prices")
    _, wanted = compiled_on(date.fromisoformat(index["date"]))
    assert files.found() == wanted


def test_a_changed_rate_is_shown_with_its_percentage() -> None:
    assert changes(a_row(), a_row(rate="2.5")) == ["input                    2 -> 2.5 (+25.0%)"]


def test_a_changed_tier_is_shown_with_its_threshold() -> None:
    (line,) = changes(a_row(rate=["2", [200000, "4"]]), a_row(rate=["2", [200000, "3"]]))
    assert line == "input above 200000       4 -> 3 (-25.0%)"


def test_a_rate_of_a_service_tier_and_of_a_later_day_are_told_apart() -> None:
    flex = {"flex": [{"rates": {"input": "1"}, "from": "2027-01-01"}]}
    (line,) = changes(a_row(), a_row(tiers=flex))
    assert line == "input flex from 2027-01-01 none -> 1"


def test_changed_limits_and_reasons_are_shown() -> None:
    assert changes(a_row(window=10), a_row(window=20)) == ["context window           10 -> 20"]
    (line,) = changes(a_row(), {"id": "gpt", "left_out": "its rates are not public"})
    assert line == "input 2 -> left out, because its rates are not public"


def test_new_and_gone_models_are_shown_and_counted() -> None:
    before, after = {"openai": a_shard(a_row("a"))}, {"openai": a_shard(a_row("b", rate="7"))}
    assert [line.split(maxsplit=1) for line in difference(before, after)] == [
        ["openai:a", "gone"],
        ["openai:b", "new     input 7"],
    ]
    assert summary(before, after) == "1 models: 1 new, 1 gone, 0 changed"


def test_a_name_or_a_rule_that_leads_elsewhere_is_shown_with_where() -> None:
    before, after = a_shard(a_row("a"), a_row("b")), a_shard(a_row("a"), a_row("b"))
    before |= {"names": {**before["names"], "latest": 0}, "rules": [[["^", "a-"], 0]]}
    after |= {"names": {**after["names"], "latest": 1}, "rules": [[["^", "a-"], 1]]}
    assert difference({"x": before}, {"x": after}) == [
        "x: 'latest' leads to a -> b",
        'x: rule ["^", "a-"] leads to a -> b',
    ]


def test_rules_that_are_asked_in_another_order_are_a_change() -> None:
    rules = [[["^", "a"], 0], [["*", "b"], 1]]
    before, after = a_shard(a_row("a"), a_row("b")), a_shard(a_row("a"), a_row("b"))
    before["rules"], after["rules"] = rules, rules[::-1]
    assert difference({"x": before}, {"x": after}) == ["x: its rules are asked in another order"]


@pytest.mark.parametrize(
    ("before", "after", "doubt"),
    [
        ("2", "0", "openai:gpt input 2 -> 0, so it would be free"),
        ("2", "6.1", "openai:gpt input 2 -> 6.1, more than 3 times"),
        ("2", "0.6", "openai:gpt input 2 -> 0.6, more than 3 times"),
        ("2", ["2", [200000, "2001"]], "openai:gpt input above 200000 costs 2001, more than 1000"),
        ("2", "6", None),
        ("0", "1", None),
    ],
)
def test_a_rate_that_jumps_is_doubtful(before: Any, after: Any, doubt: str | None) -> None:
    shards = [{"openai": a_shard(a_row(rate=rate))} for rate in (before, after)]
    assert doubtful(*shards) == ([] if doubt is None else [doubt])


def test_a_new_model_that_costs_more_than_anything_is_doubtful() -> None:
    shard = a_shard({"id": "pictures", "prices": [{"rates": {"image": "40"}}]})
    assert doubtful({}, {"xai": shard}) == ["xai:pictures image costs 40, more than 5"]


def test_a_provider_that_loses_a_third_of_its_models_is_doubtful() -> None:
    every = [a_row(str(number)) for number in range(9)]
    before, after = {"openai": a_shard(*every)}, {"openai": a_shard(*every[3:])}
    assert doubtful(before, after) == ["openai: 3 of 9 models lose their price"]
    assert doubtful(before, {"openai": a_shard(*every[2:])}) == []
    assert doubtful(before, {}) == ["openai: 9 of 9 models lose their price"]


@pytest.mark.parametrize("rate", ["-1", "NaN", "Infinity"])
def test_data_with_a_rate_that_is_none_are_refused(rate: str) -> None:
    clause = types.ClauseEquals("m")
    model = types.ModelInfo(id="m", match=clause, prices=types.ModelPrice(input_mtok=Decimal(rate)))
    with pytest.raises(ValueError, match="is no rate"):
        standard_of(model, date(2026, 1, 1), is_free=False)


def test_rows_in_another_order_are_no_change() -> None:
    one, other = a_row("a"), a_row("b")
    assert not difference({"openai": a_shard(one, other)}, {"openai": a_shard(other, one)})


@cache
def pinned() -> command.Fetched:
    return command._pinned()


COMPILED = command._compiled


@cache
def compiled_on(day: date) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What all tests compile; it takes seconds."""
    return COMPILED(pinned(), day)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the catalogue and its limits, which the command writes to instead."""
    for name, content in files.found().items():
        (tmp_path / name).write_bytes(content)
    limits = tmp_path / "elsewhere" / "limits.json"
    limits.parent.mkdir()
    limits.write_bytes(files.LIMITS.read_bytes())
    monkeypatch.setattr(command, "_compiled", lambda _, day: compiled_on(day))
    found, save, load_shards = files.found, files.save, files.load_shards
    monkeypatch.setattr(files, "LIMITS", limits)
    monkeypatch.setattr(files, "found", lambda: found(tmp_path))
    monkeypatch.setattr(files, "save", lambda content: save(content, tmp_path))
    monkeypatch.setattr(files, "load_shards", lambda: load_shards(tmp_path))
    monkeypatch.setattr(command, "_newest", lambda _: pinned())
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["prices", *arguments])
    return command.main()


def test_a_refresh_that_changes_nothing_says_so_and_writes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files.found()
    assert run(monkeypatch, "--date", files.load_index()["date"]) == 0
    assert capsys.readouterr().out == "No price, limit or name changed\n"
    assert files.found() == before


@pytest.mark.parametrize(("answer", "is_taken"), [("y", True), ("n", False), ("", False)])
def test_a_change_is_shown_and_written_only_if_it_is_taken(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    *,
    is_taken: bool,
) -> None:
    right = files.found()
    groq = folder / "groq.json"
    groq.write_bytes(groq.read_bytes().replace(b'"input":"0.59"', b'"input":"0.5"'))
    wrong = files.found()
    monkeypatch.setattr("builtins.input", lambda _: answer)

    assert run(monkeypatch, "--check") == 2
    assert files.found() == wrong
    assert run(monkeypatch, "--date", files.load_index()["date"]) == 2

    assert "groq:llama-3.3-70b-versatile" in capsys.readouterr().out
    assert files.found() == (right if is_taken else wrong)


def test_yes_takes_a_change_without_asking(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = files.found()
    (folder / "zai.json").unlink()
    assert run(monkeypatch, "--yes", "--date", files.load_index()["date"]) == 2
    assert files.found() == right
    assert run(monkeypatch, "--check") == 0


def test_what_is_doubtful_is_not_taken_unseen(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right, day = files.found(), files.load_index()["date"]
    groq = folder / "groq.json"
    groq.write_bytes(groq.read_bytes().replace(b'"input":"0.59"', b'"input":"5.9"'))
    wrong = files.found()

    assert run(monkeypatch, "--yes", "--date", day) == 1
    shown = capsys.readouterr()
    assert "! groq:llama-3.3-70b-versatile input 5.9 -> 0.59, more than 3 times" in shown.out
    assert "--accept-doubtful" in shown.err
    assert files.found() == wrong

    assert run(monkeypatch, "--yes", "--accept-doubtful", "--date", day) == 2
    assert files.found() == right


def test_without_anybody_to_ask_nothing_is_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "zai.json").unlink()
    wrong = files.found()
    monkeypatch.setattr("sys.stdin", StringIO())
    assert run(monkeypatch, "--date", files.load_index()["date"]) == 2
    assert files.found() == wrong


def test_limits_are_those_of_models_that_answer_in_words_at_the_same_provider() -> None:
    limit = {"max_input_tokens": 10, "max_output_tokens": 5}
    listed: dict[str, dict[str, Any]] = {
        "gpt-x": {"litellm_provider": "openai", "mode": "chat", **limit},
        "azure/gpt-x": {"litellm_provider": "azure", "mode": "responses", "max_input_tokens": 7},
        "openai/eu/gpt-x": {"litellm_provider": "openai", "mode": "chat", **limit},
        "embed-x": {"litellm_provider": "openai", "mode": "embedding", **limit},
        "sample_spec": {"litellm_provider": "one of", "max_input_tokens": "text"},
        "mystery": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 0},
    }
    assert extracted(listed) == {"openai": {"gpt-x": [10, 5]}, "azure": {"gpt-x": [7, None]}}


def listed(provider: str, mode: str, **costs: float) -> dict[str, Any]:
    return {"litellm_provider": provider, "mode": mode, **costs}


def test_the_supplement_is_of_models_that_a_provider_has_under_that_name() -> None:
    entries = {
        "rank": listed("cohere", "rerank", input_cost_per_query=0.002, input_cost_per_token=0.0),
        "voyage/rank": listed("voyage", "rerank", input_cost_per_token=5e-08),
        "fireworks_ai/rank": listed("fireworks_ai", "rerank", input_cost_per_token=0.0),
        "nobody/rank": listed("nobody", "rerank", input_cost_per_query=1.0),
        "talk": listed("cohere", "chat", input_cost_per_token=1e-06),
        "xai/draw": listed("xai", "image_generation", input_cost_per_image=0.02),
        "azure/hd/1024-x-1024/draw": listed("azure", "image_generation", output_cost_per_image=1),
        "together_ai/BAAI/Embed": listed("together_ai", "embedding", input_cost_per_token=8e-09),
    }
    assert supplemented(entries) == {
        "cohere": {"rank": {"rates": {"rerank_search": "2"}}},
        "together": {"BAAI/Embed": {"rates": {"input": "0.008"}}},
        "voyageai": {"rank": {"rates": {"input": "0.05"}}},
        "x-ai": {"draw": {"rates": {"image": "0.02"}}},
    }


@pytest.mark.parametrize(
    ("mode", "costs", "entry"),
    [
        ("audio_speech", {"input_cost_per_character": 1.5e-05}, {"character": "15"}),
        (
            "audio_speech",
            {"input_cost_per_token": 6e-07, "output_cost_per_audio_token": 1.2e-05},
            {"input": "0.6", "output_audio": "12"},
        ),
        ("audio_transcription", {"input_cost_per_second": 5.83333e-05}, {"audio": "0.21"}),
        (
            "audio_transcription",
            {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06},
            {"input": "1", "output": "2"},
        ),
        ("image_generation", {"output_cost_per_image": 0.04}, {"image": "0.04"}),
        (
            "image_generation",
            {
                "input_cost_per_token": 5e-06,
                "output_cost_per_image_token": 3e-05,
                "input_cost_per_image_token": 8e-06,
            },
            {"input": "5", "output_image": "30", "input_image": "8"},
        ),
        ("embedding", {"input_cost_per_token": 0.0}, None),
        ("image_generation", {"input_cost_per_pixel": 1e-08}, None),
    ],
)
def test_each_kind_of_model_is_billed_in_its_own_units(
    mode: str, costs: dict[str, float], entry: dict[str, str] | None
) -> None:
    found = supplemented({"azure/m": listed("azure", mode, **costs)})
    assert found == ({} if entry is None else {"azure": {"m": {"rates": entry}}})


def test_a_rate_that_depends_on_size_or_cannot_be_right_is_left_out_with_the_reason() -> None:
    entries = {
        "xai/draw": listed(
            "xai", "image_generation", input_cost_per_image=0.06, output_cost_per_image_1K=0.04
        ),
        "embed": listed("cohere", "embedding", input_cost_per_token=0.0001),
    }
    assert supplemented(entries) == {
        "cohere": {"embed": {"left_out": "the rate known for it cannot be right"}},
        "x-ai": {"draw": {"left_out": "its rate depends on the picture's size"}},
    }

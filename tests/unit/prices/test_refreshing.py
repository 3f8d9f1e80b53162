"""What is checked in is what the pinned data compile to; a change is shown before it is taken."""

from __future__ import annotations

import sys
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from infra.prices import __main__ as command
from infra.prices import files, packages
from infra.prices.difference import difference
from infra.prices.limits import extracted
from infra.prices.rerankers import ranked

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("genai_prices")


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


def test_new_and_gone_models_are_shown_with_the_names_that_lead_to_them() -> None:
    lines = difference({"openai": a_shard(a_row("a"))}, {"openai": a_shard(a_row("b", rate="7"))})
    assert [line.split(maxsplit=1) for line in lines] == [
        ["openai:a", "gone"],
        ["openai:b", "new     input 7"],
        ["openai:", "names that lead to its models changed"],
    ]


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


def test_rerankers_with_a_known_cost_have_a_rate_by_the_search_or_by_the_token() -> None:
    def listed(provider: str, **costs: float) -> dict[str, Any]:
        return {"litellm_provider": provider, "mode": "rerank", **costs}

    entries = {
        "rank": listed("cohere", input_cost_per_query=0.002, input_cost_per_token=0.0),
        "voyage/rank": listed("voyage", input_cost_per_token=5e-08),
        "fireworks_ai/rank": listed("fireworks_ai", input_cost_per_token=0.0),
        "nobody/rank": listed("nobody", input_cost_per_query=1.0),
        "embed": {"litellm_provider": "cohere", "mode": "embedding", "input_cost_per_token": 1.0},
    }
    assert ranked(entries) == {
        "cohere": {"rank": {"rerank_search": "2"}},
        "voyageai": {"rank": {"input": "0.05"}},
    }

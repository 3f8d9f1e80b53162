"""What nouns send and show, over a connection that only answers."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.cli.connection import read_answer
from bursar.cli.failures import Failed, RefusedByGateway
from tests.unit.cli.fake_gateway import FakeGateway

if TYPE_CHECKING:
    from pathlib import Path

USER: dict[str, Any] = {
    "user_id": "alice",
    "alias": "Alice",
    "spend": Decimal("1.0305"),
    "budget_id": "b1",
    "blocked": False,
    "next_budget_reset_at": "2026-02-01T00:00:00Z",
    "allowed_models": None,
    "created_at": "2026-01-01T00:00:00Z",
}
BUDGET: dict[str, Any] = {
    "budget_id": "b1",
    "max_budget": Decimal(20),
    "budget_duration_sec": 2_592_000,
    "budget_period": None,
    "time_zone": "UTC",
    "scope": "pool",
    "spend": Decimal("17.25"),
    "next_budget_reset_at": "2026-02-01T00:00:00Z",
}
KEY = {"id": "k1", "key_name": "laptop", "user_id": "alice", "budget_id": None, "is_active": True}
PRICE = {
    "model_key": "openai:gpt-x",
    "input_price_per_million": Decimal("0.15"),
    "output_price_per_million": Decimal("0.6"),
}


def test_money_stands_point_under_point_in_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**USER, "spend": spend} for spend in (Decimal("1.0305"), Decimal(250), Decimal(0))]
    shown = FakeGateway({"GET /v1/users": rows}).run(monkeypatch, "users", "list").stdout

    lines = shown.splitlines()[1:]
    assert len({line.index(".") for line in lines}) == 1
    assert "$1.0305" in lines[0]
    assert "$250.00" in lines[1]


def test_csv_is_named_by_the_api_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = FakeGateway({"GET /v1/users": [USER]})
    header, row = gateway.run(monkeypatch, "users", "list", "-o", "csv").stdout.splitlines()
    assert header.startswith("user_id,alias,blocked,budget_id,spend,")
    assert row.startswith("alice,Alice,false,b1,1.0305,2026-02-01T00:00:00Z,,")


def test_a_filtered_list_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**USER, "user_id": f"u{number}", "blocked": number % 2 == 1} for number in range(9)]
    shown = FakeGateway({"GET /v1/users": rows}).run(
        monkeypatch, "users", "list", "--blocked", "--limit", "2", "-o", "jsonl"
    )
    assert [json.loads(line)["user_id"] for line in shown.stdout.splitlines()] == ["u1", "u3"]


def test_only_what_was_said_is_sent_and_an_empty_text_clears(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = FakeGateway({"PATCH /v1/users/a%2Fb%3Fc": USER})
    words = ("users", "update", "a/b?c", "--budget", "", "--model", "", "--tpm", "9")
    assert gateway.run(monkeypatch, *words).exit_code == 0
    assert gateway.body_of("PATCH") == {
        "budget_id": None,
        "allowed_models": None,
        "rate_limit_tpm": 9,
    }


def test_several_models_and_metadata_are_sent_as_a_list_and_an_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = FakeGateway({"POST /v1/users": USER})
    gateway.run(
        *(monkeypatch, "users", "create", "alice", "--model", "openai:*", "--model", "groq:*"),
        *("--metadata", "team=search", "--metadata", "floor=3"),
    )
    assert gateway.body_of("POST") == {
        "user_id": "alice",
        "allowed_models": ("openai:*", "groq:*"),
        "metadata": {"team": "search", "floor": "3"},
    }


def test_a_budget_has_either_kind_of_period(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = FakeGateway({"POST /v1/budgets": BUDGET, "PATCH /v1/budgets/b1": BUDGET})
    gateway.run(monkeypatch, "budgets", "create", "--limit", "$20", "--period", "30d")
    assert gateway.body_of("POST") == {"max_budget": "20", "budget_duration_sec": 2_592_000}
    gateway.run(monkeypatch, "budgets", "update", "b1", "--limit", "", "--period", "none")
    assert gateway.body_of("PATCH") == {
        "max_budget": None,
        "budget_period": None,
        "budget_duration_sec": None,
    }


def test_what_is_left_of_a_pool_is_exact_and_never_less_than_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = FakeGateway({"GET /v1/budgets/b1": BUDGET}).run(monkeypatch, "budgets", "show", "b1")
    assert "$2.75" in shown.stdout
    assert "30d" in shown.stdout
    over = {**BUDGET, "spend": Decimal("20.1")}
    shown = FakeGateway({"GET /v1/budgets/b1": over}).run(
        monkeypatch, "budgets", "show", "b1", "-o", "json"
    )
    assert json.loads(shown.stdout)["left"] == 0


def test_of_a_budget_for_each_every_holder_has_their_own_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = FakeGateway(
        {
            "GET /v1/budgets/b1": {**BUDGET, "scope": "each", "spend": None},
            "GET /v1/users": [USER, {**USER, "user_id": "bob", "budget_id": None}],
            "GET /v1/keys": [KEY],
        }
    )
    shown = gateway.run(monkeypatch, "budgets", "holders", "b1", "-o", "jsonl").stdout
    (holder,) = map(json.loads, shown.splitlines())
    assert (holder["kind"], holder["id"], holder["left"]) == ("user", "alice", 18.9695)


def test_a_price_is_sent_with_all_its_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = FakeGateway({"POST /v1/pricing": PRICE})
    ended = gateway.run(
        *(monkeypatch, "prices", "set", "openai:gpt-*", "--in", "$2.7", "--out", "13.5"),
        *("--rate", "cache_write=3.375", "--rate", "web_search=10", "--context", "200000"),
        *("--tier", "200000:input=5.4,output=20.25", "--from", "2027-01-01"),
        *("--service-tier", "batch:input=1.35,output=6.75"),
    )
    assert ended.exit_code == 0, ended.output
    assert gateway.body_of("POST") == {
        "model_key": "openai:gpt-*",
        "input_price_per_million": "2.7",
        "output_price_per_million": "13.5",
        "rates": {"cache_write": "3.375", "web_search": "10"},
        "tiers": ({"above_input_tokens": 200_000, "rates": {"input": "5.4", "output": "20.25"}},),
        "service_tiers": {"batch": {"rates": {"input": "1.35", "output": "6.75"}}},
        "context_window_tokens": 200_000,
        "effective_from": "2027-01-01T00:00:00+00:00",
    }


def test_a_price_that_leaves_out_what_is_dearer_in_public_is_set_with_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    public = {
        **PRICE,
        "cached_input_price_per_million": Decimal("0.075"),
        "rates": {"cache_write": Decimal("0.1875"), "web_search": Decimal(10)},
        "tiers": [{"above_input_tokens": 200_000, "rates": {"input": Decimal("0.3")}}],
    }
    gateway = FakeGateway(
        {"POST /v1/pricing": PRICE, "GET /v1/pricing/catalogue": {"price": public}}
    )
    ended = gateway.run(
        monkeypatch, "prices", "set", "openai:gpt-x", "--in", "0.15", "--out", "0.6"
    )
    assert ended.exit_code == 0, ended.output
    cache, tier = (line for line in ended.stderr.splitlines() if line.startswith("Note"))
    assert cache.endswith(
        "cache_write is charged $0.15, the public price is $0.1875: --rate cache_write=0.1875"
    )
    assert tier.endswith("other rates for it: --tier 200000:input=0.3")


def test_a_price_of_a_model_that_the_catalogue_does_not_know_is_set_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = FakeGateway({"POST /v1/pricing": PRICE, "GET /v1/pricing/catalogue": {"price": None}})
    ended = gateway.run(
        monkeypatch, "prices", "set", "openai:gpt-x", "--in", "0.15", "--out", "0.6"
    )
    assert (ended.exit_code, ended.stderr) == (0, "")


def test_an_old_catalogue_is_shown_with_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        "model": "openai:gpt-x",
        "source": "catalogue",
        "version": "openai:gpt-x@catalogue 2020-01-01",
        "price": PRICE,
        "catalogue_date": "2020-01-01",
        "reason": None,
    }
    gateway = FakeGateway({"GET /v1/pricing/effective": found})
    shown = gateway.run(monkeypatch, "prices", "effective", "openai:gpt-x").stdout
    assert re.search(r"2020-01-01 \(\d{4} days old\)", shown)


def test_numbers_of_a_file_are_sent_with_all_their_digits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "prices.json"
    path.write_text(
        '{"model_key": "openai:gpt-x", "input_price_per_million": 123456789012.123456789012,'
        ' "output_price_per_million": 1}'
    )
    gateway = FakeGateway({"POST /v1/pricing": PRICE})
    ended = gateway.run(monkeypatch, "prices", "set", "--from-file", str(path))
    assert ended.exit_code == 0, ended.output
    sent = gateway.body_of("POST")["input_price_per_million"]
    assert sent == Decimal("123456789012.123456789012")


@pytest.mark.parametrize("text", ["", "[]", "{", "1", '["a"]', '{"a": 1}\nb'])
def test_a_file_without_records_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    gateway = FakeGateway({"POST /v1/users": USER})
    ended = gateway.run(monkeypatch, "users", "create", "--from-file", "-", stdin=text)
    assert (ended.exit_code, gateway.asked) == (2, [])
    assert "JSON" in ended.output


def test_an_alias_that_is_not_there_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    alias: dict[str, Any] = {
        "name": "fast",
        "strategy": "ordered",
        "targets": [],
        "tier_down": None,
        "retries": 1,
    }
    gateway = FakeGateway(
        {
            "PATCH /v1/aliases/fast": RefusedByGateway(404, "There is no alias", None),
            "POST /v1/aliases": alias,
        }
    )
    words = ("aliases", "set", "fast", "--target", "openai:gpt-4o=9", "--target", "groq:llama")
    assert gateway.run(monkeypatch, *words).exit_code == 0
    assert gateway.body_of("POST") == {
        "name": "fast",
        "targets": (
            {"model": "openai:gpt-4o", "weight": 9},
            {"model": "groq:llama"},
        ),
        "strategy": "weighted",
    }


def test_another_refusal_of_an_alias_is_not_taken_for_its_absence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusal = RefusedByGateway(422, "targets: none", "req-1")
    gateway = FakeGateway({"PATCH /v1/aliases/fast": refusal})
    ended = gateway.run(monkeypatch, "aliases", "set", "fast", "--target", "openai:gpt-4o")
    assert ended.exit_code == 2
    assert [asked[0] for asked in gateway.asked] == ["PATCH"]


@pytest.mark.parametrize(
    ("words", "known", "path"),
    [
        (("users", "delete", "alice"), USER, "/v1/users/alice"),
        (("budgets", "delete", "b1"), BUDGET, "/v1/budgets/b1"),
        (("keys", "delete", "k1"), KEY, "/v1/keys/k1"),
        (("prices", "unset", "openai:gpt-x"), PRICE, "/v1/pricing/openai%3Agpt-x"),
        (("aliases", "delete", "fast"), {"name": "fast"}, "/v1/aliases/fast"),
    ],
)
def test_what_destroys_asks_for_the_name(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], known: Any, path: str
) -> None:
    gateway = FakeGateway({f"GET {path}": known})
    refused = gateway.run(monkeypatch, *words)
    assert refused.exit_code == 2
    assert "--yes" in refused.output
    assert [asked[0] for asked in gateway.asked] == ["GET"]

    assert gateway.run(monkeypatch, *words, "--yes").exit_code == 0
    assert gateway.asked[-1][:2] == ("DELETE", path)


def test_models_of_a_gateway_that_does_not_tell_are_those_of_its_data_plane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {"model": "groq:llama", "source": "catalogue", "price": PRICE}
    gateway = FakeGateway(
        {
            "GET /v1/providers": [{"name": "groq", "is_configured": None}],
            "GET /v1/models": {
                "data": [
                    {"id": "groq:llama", "owned_by": "groq"},
                    {"id": "fast:one", "owned_by": "bursar"},
                ]
            },
            "GET /v1/providers/groq/models": [found],
        }
    )
    shown = gateway.run(monkeypatch, "models", "list", "-o", "csv").stdout.splitlines()
    assert shown[1:] == ["groq:llama,catalogue,0.15,,0.6,,"]


def test_a_refused_value_is_told_by_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {
        "detail": [
            {"loc": ["body", "max_budget"], "msg": "Value error, Input should be a number"},
            {"loc": ["body", "tiers", 0, "rates"], "msg": "Field required"},
        ],
        "error": {"message": "body.max_budget: …"},
    }
    with pytest.raises(Failed) as refused:
        read_answer(422, json.dumps(body).encode(), {"x-request-id": "req-1"})
    assert refused.value.message == (
        "max_budget: Input should be a number\ntiers.0.rates: Field required (request req-1)"
    )
    assert refused.value.exit_code == 2


BUDGET_ID = "5a7e8a0c-5c2e-4d39-8a58-0a1d2f6a3d11"


def test_the_beginning_of_an_id_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = FakeGateway(
        {
            "GET /v1/budgets": [BUDGET, {**BUDGET, "budget_id": BUDGET_ID}],
            f"GET /v1/budgets/{BUDGET_ID}": BUDGET,
            "PATCH /v1/users/alice": USER,
        }
    )
    assert gateway.run(monkeypatch, "budgets", "show", BUDGET_ID[:8]).exit_code == 0
    assert gateway.run(monkeypatch, "budgets", "show", BUDGET_ID[:20]).exit_code == 0
    gateway.run(monkeypatch, "users", "update", "alice", "--budget", BUDGET_ID[:8])
    assert gateway.body_of("PATCH") == {"budget_id": BUDGET_ID}


def test_the_beginning_of_several_ids_is_refused_and_they_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = [f"{BUDGET_ID[:-1]}{digit}" for digit in "01"]
    gateway = FakeGateway({"GET /v1/budgets": [{**BUDGET, "budget_id": it} for it in others]})
    ended = gateway.run(monkeypatch, "budgets", "show", BUDGET_ID[:8])
    assert ended.exit_code == 5
    assert all(each in ended.output for each in others)


def test_what_nobody_is_asked_about_is_named_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = FakeGateway({"GET /v1/budgets": [{**BUDGET, "budget_id": BUDGET_ID}]})
    ended = gateway.run(monkeypatch, "budgets", "delete", BUDGET_ID[:8], "--yes")
    assert ended.exit_code == 3
    assert [asked[:2] for asked in gateway.asked] == [("GET", f"/v1/budgets/{BUDGET_ID[:8]}")]

"""Pictures: what a request for them can cost at the most."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.passed.image_tokens import Asked, output_tokens_max
from bursar.dialects.passed.images import ImagesRequest, parse_edits, parse_generations
from bursar.dialects.request import Terms
from bursar.domain.errors import InvalidRequest, Unpriceable, Unprocessable
from bursar.domain.price_rates import Unit
from bursar.domain.pricing import quote
from tests.fakes.forms import CONTENT_TYPE, Field, form
from tests.unit.dialects.passed.prices import by_the_piece, by_tokens

JSON = "application/json"
PNG = b"\x89PNG\r\n\x1a\n"


def _generation(**fields: Any) -> ImagesRequest:
    body = {"model": "openai:gpt-image-2", "prompt": "a fox"} | fields
    return parse_generations(msgspec.json.encode(body), JSON)


def _edit(*more: Field) -> ImagesRequest:
    fields: list[Field] = [("model", "openai:gpt-image-2"), ("prompt", "a fox"), *more]
    return parse_edits(form(fields), CONTENT_TYPE)


def _output_tokens(**fields: Any) -> int:
    return _generation(**fields).bound(by_tokens(), 1).output_tokens


def test_a_request_goes_on_with_all_its_fields_and_the_providers_name_of_the_model() -> None:
    raw = b'{"model":"openai:gpt-image-2","prompt":"a \\u00e9","later":{"a":[1.0]},"n":2}'
    request = parse_generations(raw, JSON)
    assert request.rewritten(Terms("gpt-image-2")) == raw.replace(b"openai:", b"")
    assert (request.operation, request.endpoint) == ("images", "/v1/images/generations")
    assert request.content_type == JSON


def test_an_edit_goes_on_as_the_form_it_came_in() -> None:
    request = _edit(("image[]", "a.png", "image/png", PNG))
    sent = request.rewritten(Terms("gpt-image-2"))
    assert b"openai:" not in sent
    assert PNG in sent
    assert (request.operation, request.content_type) == ("image_edits", CONTENT_TYPE)


def test_the_most_is_the_pictures_and_their_tokens() -> None:
    bound = _generation(n=3, size="1024x1024", quality="high").bound(by_tokens(), 1)
    assert (bound.images, bound.answers, bound.generates_images) == (3, 3, True)
    assert bound.output_tokens >= 7_024
    assert bound.input_tokens >= len("a fox")
    assert not bound.takes_output_limit


def test_a_price_by_the_picture_pays_for_pictures_alone() -> None:
    price = by_the_piece(Unit.IMAGE)
    assert quote(_generation(n=3).bound(price, 1), price) * 100 == 12


@pytest.mark.parametrize(
    "name", ["batch_size", "num_images", "num_images_per_prompt", "num_outputs"]
)
def test_a_vendors_own_word_for_how_many_counts(name: str) -> None:
    price = by_the_piece(Unit.IMAGE)
    assert _generation(**{name: 4}).bound(price, 1).images == 4
    assert _generation(**{name: 4}, n=2).bound(price, 1).images == 8
    with pytest.raises(InvalidRequest) as caught:
        _generation(**{name: 101})
    assert caught.value.param == name
    with pytest.raises(InvalidRequest, match="At most 100"):
        _generation(**{name: 11}, n=10)


@pytest.mark.parametrize(
    ("model", "quality", "size", "tokens"),
    [
        ("gpt-image-1", "low", "1024x1024", 272),
        ("gpt-image-1-mini", "medium", "1024x1536", 1_584),
        ("gpt-image-1.5", "high", "1536x1024", 6_208),
        ("gpt-image-1.5", "auto", "auto", 6_240),
        ("gpt-image-2", "high", "1024x1024", 7_024),
        ("gpt-image-2", "high", "1536x1024", 5_488),
        ("gpt-image-2-2026-04-21", "high", "3584x2048", 12_329),
        ("gpt-image-2.6-sunburst", "high", "3840x2160", 3_337),
        ("gpt-image-2.6-flare", "auto", "1024x1024", 5_800),
    ],
)
def test_no_published_figure_of_tokens_is_beyond_the_most(
    model: str, quality: str, size: str, tokens: int
) -> None:
    assert output_tokens_max(Asked(model, size, quality)) >= tokens


@given(
    model=st.sampled_from(["gpt-image-1", "gpt-image-2", "gpt-image-2.5-flare", "flux"]),
    quality=st.sampled_from([None, "low", "medium", "high", "xhigh", "max", "auto", "other"]),
    edges=st.tuples(st.integers(10, 2_880), st.integers(10, 2_880)),
)
def test_what_is_left_to_the_model_may_be_its_dearest(
    model: str, quality: str | None, edges: tuple[int, int]
) -> None:
    size = f"{edges[0]}x{edges[1]}"
    asked = output_tokens_max(Asked(model, size, quality))
    assert asked <= output_tokens_max(Asked(model, "auto", quality))
    if quality in {"low", "medium", "high"}:
        assert asked <= output_tokens_max(Asked(model, None, None))


def test_frames_and_pictures_shown_on_the_way_are_counted() -> None:
    once = _output_tokens()
    assert _output_tokens(stream=True, partial_images=3) == once + 300
    assert _output_tokens(output_format="gif") == 9 * once
    assert _output_tokens(output_format="gif", frame_count=2) == 2 * once


def test_an_administrators_limit_of_a_picture_holds() -> None:
    price = by_tokens(max_output_tokens=2_000)
    assert _generation(n=2).bound(price, 1).output_tokens_total == 4_000


@pytest.mark.parametrize("fields", [{"output_format": "svg"}, {"svg": {"model": "gpt-6"}}])
def test_what_a_second_model_writes_has_no_price(fields: dict[str, Any]) -> None:
    with pytest.raises(Unpriceable, match="another 'output_format'"):
        _generation(**fields).bound(by_tokens(), 1)


def test_a_forms_svg_fields_have_no_price_either() -> None:
    request = _edit(("image", "a.png", "image/png", PNG), ("svg[model]", "gpt-6"))
    with pytest.raises(Unpriceable):
        request.bound(by_tokens(), 1)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ([("image", "a.png", "image/png", PNG)], 1),
        ([("image[]", "a.png", "image/png", PNG)] * 3, 3),
        ([("image", "a.png", "image/png", PNG), ("mask", "m.png", "image/png", PNG)], 2),
        ([("image", "https://a.example/a.png")], 1),
    ],
)
def test_every_picture_of_a_form_is_input(fields: list[Field], shown: int) -> None:
    request = _edit(*fields)
    bound = request.bound(by_tokens(), 1)
    assert request.input_images == shown
    assert bound.input_image_tokens == shown * 16_384 < bound.input_tokens


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"images": [{"file_id": "f"}, {"image_url": "u"}]}, 2),
        ({"image": {"url": "data:image/png;base64,AAAA"}}, 1),
    ],
)
def test_every_picture_that_json_names_is_input(fields: dict[str, Any], shown: int) -> None:
    body = msgspec.json.encode({"model": "xai:grok", "prompt": "a fox"} | fields)
    assert parse_edits(body, "application/json; charset=utf-8").input_images == shown
    assert parse_generations(body, JSON).input_images == shown


def test_an_edit_needs_something_to_edit() -> None:
    with pytest.raises(InvalidRequest) as caught:
        _edit()
    assert caught.value.param == "image"


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"n": 0}, "n"), ({"n": 101}, "n"), ({"partial_images": -1}, "partial_images")],
)
def test_a_number_out_of_range_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _generation(**fields)
    assert caught.value.param == param


def test_a_stream_is_of_one_picture() -> None:
    assert _generation(stream=True).is_streamed
    assert _generation(stream=True, n=1).is_streamed
    with pytest.raises(InvalidRequest) as caught:
        _generation(stream=True, n=2)
    assert caught.value.param == "n"


@pytest.mark.parametrize("missing", ["model", "prompt"])
def test_a_missing_field_is_named(missing: str) -> None:
    body = {"model": "a:b", "prompt": "c"}
    del body[missing]
    with pytest.raises(Unprocessable, match=missing):
        parse_generations(msgspec.json.encode(body), JSON)


def test_generations_are_no_forms() -> None:
    with pytest.raises(InvalidRequest, match="takes application/json"):
        parse_generations(form([("model", "a:b")]), CONTENT_TYPE)

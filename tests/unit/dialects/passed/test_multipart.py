"""Forms: only what is asked for changes, and what could be read in two ways is refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.passed.multipart import MultipartBody
from bursar.dialects.request import Terms
from bursar.dialects.translator import Untranslatable
from bursar.domain.errors import InvalidRequest, Unprocessable
from tests.fakes.forms import BOUNDARY, CONTENT_TYPE, Field, form

PNG = b"\x89PNG\r\n\x1a\n\x00\r\n\r\n--\xff"
FIELDS: list[Field] = [
    ("prompt", "Ein Fuchs, bitte 🦊"),
    ("model", "openai:gpt-image-2"),
    ("image[]", "fox 1.png", "image/png", PNG),
    ("image[]", "fox 2.png", "image/png", b""),
    ("n", "2"),
    ("stream", "false"),
]
RAW = form(FIELDS)


class _Fields(msgspec.Struct):
    model: str
    n: int | None = None
    stream: bool | None = None
    size: str | None = None


def _body(raw: bytes = RAW, content_type: str = CONTENT_TYPE) -> MultipartBody:
    return MultipartBody(raw, content_type)


def _refused(raw: bytes, content_type: str = CONTENT_TYPE) -> str:
    with pytest.raises(InvalidRequest) as caught:
        _body(raw, content_type).read(_Fields)
    return caught.value.message


def test_fields_are_read_as_the_types_they_stand_for() -> None:
    assert _body().read(_Fields) == _Fields("openai:gpt-image-2", 2, stream=False)


def test_everything_but_the_model_keeps_its_bytes() -> None:
    expected = RAW.replace(b"openai:gpt-image-2", b"gpt-image-2")
    assert _body().rewritten(Terms("gpt-image-2"), model="gpt-image-2") == expected


_names = st.text("abcdefgh", min_size=1, max_size=8).filter(lambda name: name != "model")
_values = st.binary(max_size=60).filter(lambda value: b"--" + BOUNDARY.encode() not in value)
_files = st.tuples(_names, st.just("a.bin"), st.just("application/x"), _values)


@given(
    before=st.lists(_files, max_size=4),
    after=st.lists(_files, max_size=4),
    model=st.text(max_size=20).filter(lambda text: BOUNDARY not in text),
    start=st.sampled_from([b"", b"\r\n"]),
    end=st.sampled_from([b"", b"\r\n", b"\r\n\r\n"]),
)
def test_rewriting_a_model_keeps_every_other_byte_of_any_form(
    before: list[Field], after: list[Field], model: str, start: bytes, end: bytes
) -> None:
    def raw(name: str) -> bytes:
        whole = form([*before, ("model", name), *after])
        return start + whole.removesuffix(b"\r\n") + end

    body = _body(raw("openai:m"))
    assert body.rewritten(Terms("m"), model="openai:m") == raw("openai:m")
    assert body.rewritten(Terms("m"), model=model) == raw(model)


def test_an_endpoints_quirks_apply_to_forms_too() -> None:
    terms = Terms(
        "m",
        renamed_fields={"n": "count"},
        dropped_fields=frozenset({"stream"}),
        added_fields={"tier": "x", "flags": {"a": 1}},
    )
    sent = _body(_body().rewritten(terms, model="m"))
    told = {part.name: part.content for part in sent.parts if not part.is_file}
    assert told == {
        "prompt": "Ein Fuchs, bitte 🦊".encode(),
        "model": b"m",
        "count": b"2",
        "tier": b"x",
        "flags": b'{"a":1}',
    }
    assert [part.content for part in sent.files()] == [PNG, b""]


def test_a_renamed_field_gives_way_to_what_has_its_new_name_already() -> None:
    raw = form([("model", "a:b"), ("n", "1"), ("count", "2")])
    sent = _body(raw).rewritten(Terms("b", renamed_fields={"n": "count"}), model="b")
    assert sent == form([("model", "b"), ("count", "2")])


@pytest.mark.parametrize(
    "content_type",
    [
        f'multipart/form-data; boundary="{BOUNDARY}"',
        f"Multipart/Form-Data;Boundary={BOUNDARY}",
        f"multipart/form-data; charset=utf-8; boundary={BOUNDARY}; x=y",
    ],
)
def test_a_boundary_is_found_however_it_is_written(content_type: str) -> None:
    assert _body(content_type=content_type).read(_Fields).n == 2


@pytest.mark.parametrize(
    ("content_type", "says"),
    [
        ("application/json", "takes multipart/form-data, not 'application/json'"),
        ("", "takes multipart/form-data"),
        ("multipart/form-data", "must name its boundary once"),
        ("multipart/form-data; boundary=", "must name its boundary once"),
        (f"{CONTENT_TYPE}; boundary=other", "must name its boundary once"),
        ("multipart/form-data; boundary=other", "does not begin with the boundary"),
        ("multipart/mixed; boundary=x", "takes multipart/form-data, not 'multipart/mixed"),
    ],
)
def test_a_content_type_without_one_boundary_is_refused(content_type: str, says: str) -> None:
    assert says in _refused(RAW, content_type)


def _with_head(head: str) -> bytes:
    return f"--{BOUNDARY}\r\n{head}\r\n\r\nopenai:m\r\n--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "does not begin"),
        (b"preamble\r\n" + RAW, "does not begin"),
        (RAW[:-6], "was the upload cut off?"),
        (RAW + b"epilogue", "was the upload cut off?"),
        (RAW.replace(b"\r\n", b"\n"), "CRLF"),
        (form([("model", "a:b"), ("x", f"--{BOUNDARY}")]), "a part has no headers"),
        (form([("model", "a:b"), ("x", f"1--{BOUNDARY}2")]), "boundary occurs within a part"),
        (form([("model", "a:b"), ("x", f"1\n--{BOUNDARY}\n2")]), "boundary occurs within a part"),
        (_with_head("X-Only: 1"), "Content-Disposition must be form-data"),
        (_with_head("Content-Disposition: form-data"), "must be form-data with a name"),
        (_with_head('Content-Disposition: attachment; name="model"'), "must be form-data"),
        (_with_head('Content-Disposition: form-data; filename="model"'), "must have one name"),
        (_with_head('Content-Disposition: form-data; name="n"; name="model"'), "one name"),
        (_with_head('Content-Disposition: form-data; name="mod\\el"'), "one name"),
        (_with_head("Content-Disposition: form-data; name*=utf-8''model"), "one name"),
        (_with_head('Content-Disposition: form-data;\r\n name="model"'), "headers are malformed"),
        *(
            (
                _with_head(f'Content-Disposition: form-data; name="x"; filename="a{end}b"'),
                "malformed",
            )
            for end in ("\r", "\n", "\0")
        ),
        (
            _with_head(
                'Content-Disposition: form-data; name="n"\r\n'
                'Content-Disposition: form-data; name="model"'
            ),
            "headers are malformed",
        ),
        (
            _with_head(
                'Content-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: base64'
            ),
            "transfer encoding",
        ),
        (_with_head("X: " + "y" * 5_000), "no headers, or too long ones"),
        (form([("model", "a:b")] + [("x", "1")] * 300)[:-2], "more than 256 parts"),
        (form([("model", "a:b")] + [("x", "1")] * 256), "more than 256 parts"),
        (form([("model", "a:b"), ("model", "a:dearer")]), "'model' must come once"),
        (form([("model", "a:b"), ("model[]", "a:dearer")]), "'model' must come once"),
        (form([("model", "a:b"), ("n[0]", "9")]), "'n' must come once"),
        (form([("model", "m.txt", "text/plain", b"a:b")]), "'model' must come once, as text"),
    ],
)
def test_a_form_that_could_be_read_in_two_ways_is_refused(raw: bytes, says: str) -> None:
    assert says in _refused(raw)


@pytest.mark.parametrize(
    ("field", "param"),
    [(("n", "two"), "n"), (("n", " 2"), "n"), (("stream", "perhaps"), "stream")],
)
def test_a_field_of_the_wrong_type_is_named(field: Field, param: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        _body(form([("model", "a:b"), field])).read(_Fields)
    assert caught.value.param == param


def test_a_missing_field_and_one_that_is_no_text_are_named() -> None:
    with pytest.raises(Unprocessable, match="model"):
        _body(form([("n", "1")])).read(_Fields)
    with pytest.raises(Unprocessable, match="is not UTF-8"):
        _body(form([("model", "m")]).replace(b"\r\nm\r\n", b"\r\n\xff\r\n")).read(_Fields)


def test_fields_are_found_by_the_name_of_their_list() -> None:
    body = _body()
    assert "image" in body
    assert "mask" not in body
    assert len(body) == len(RAW)
    assert body.text_bytes() == len("Ein Fuchs, bitte 🦊openai:gpt-image-22false".encode())


def test_no_translator_works_on_a_form() -> None:
    with pytest.raises(Untranslatable):
        _body().document()


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_form_or_refused(noise: bytes) -> None:
    for raw in (noise, RAW[:40] + noise + RAW[40:]):
        try:
            body = _body(raw)
        except InvalidRequest:
            continue
        assert body._joined(body.parts) == raw

"""The operations that pass through: every name leads somewhere."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from bursar.dialects.passage import WireDialect
from bursar.dialects.passed_operations import PASSED_OPERATIONS
from tests.fakes.forms import CONTENT_TYPE, form, wav

_FORMS = {"image_edits", "transcriptions", "translations"}
_JSON = (
    b'{"model":"a:b","prompt":"p","input":"i","query":"q","documents":["d"],"messages":[],'
    b'"voice":"v"}'
)
_FORM = form([("model", "a:b"), ("prompt", "p"), ("file", "a.wav", "audio/wav", wav(1))])


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(f"bursar.dialects.{module}"), attribute)


@pytest.mark.parametrize("path", PASSED_OPERATIONS)
def test_a_path_has_a_parser_of_its_operation_and_a_wire(path: str) -> None:
    passed = PASSED_OPERATIONS[path]
    is_form = passed.operation in _FORMS
    raw, content_type = (_FORM, CONTENT_TYPE) if is_form else (_JSON, "application/json")
    request = _named(passed.parser)(raw, content_type)
    assert request.endpoint.removeprefix("/v1") == path.removeprefix("/v1").removeprefix("/v2")
    assert request.operation == passed.operation
    assert (str(request.model), request.content_type) == ("a:b", content_type)
    assert request.user_field == "user"
    assert isinstance(_named(passed.wire), WireDialect)

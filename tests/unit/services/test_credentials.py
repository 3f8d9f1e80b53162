from __future__ import annotations

import pytest

from bursar.domain.errors import Unauthenticated
from bursar.services.credentials import BEARER_HEADERS, presented_credential


@pytest.mark.parametrize("name", BEARER_HEADERS)
def test_every_bearer_header_gives_what_follows_the_scheme(name: str) -> None:
    assert presented_credential({name: "Bearer gw-abc"}) == "gw-abc"


def test_x_api_key_is_taken_as_it_is() -> None:
    assert presented_credential({"x-api-key": "gw-abc"}) == "gw-abc"
    assert presented_credential({"x-api-key": "Bearer gw-abc"}) == "Bearer gw-abc"


def test_the_headers_have_a_fixed_precedence() -> None:
    names = [*BEARER_HEADERS, "x-api-key"]
    headers = {name: f"Bearer {name}" for name in names}
    seen = []
    for name in names[:-1]:
        seen.append(presented_credential(headers))
        del headers[name]
    assert seen == ["x-anyllm-key", "anyllm-key", "otari-key", "authorization"]
    assert presented_credential(headers) == "Bearer x-api-key"


@pytest.mark.parametrize("name", BEARER_HEADERS)
@pytest.mark.parametrize("value", ["gw-abc", "bearer gw-abc", "Basic gw-abc", "Bearer", ""])
def test_a_malformed_header_does_not_fall_through_to_a_good_one(name: str, value: str) -> None:
    headers = {"x-api-key": "gw-good", name: value}
    with pytest.raises(Unauthenticated, match=r"Invalid header format\. Expected 'Bearer <token>'"):
        presented_credential(headers)


def test_no_header_at_all_is_refused_with_the_known_message() -> None:
    with pytest.raises(Unauthenticated, match=r"^Missing X-AnyLLM-Key or Authorization header$"):
        presented_credential({"content-type": "application/json"})


def test_refusals_do_not_repeat_what_was_presented() -> None:
    with pytest.raises(Unauthenticated) as caught:
        presented_credential({"authorization": "gw-secret"})
    assert "gw-secret" not in str(caught.value)

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.errors import InvalidRequest
from bursar.domain.upstream import Endpoint, Provider, Target
from bursar.domain.upstream_urls import is_addressed, missing_parameters, url_of

PLAIN = Endpoint("/chat/completions")
INVOKED = Endpoint("/model/{model}/converse", stream_path="/model/{model}/converse-stream")
VERTEX = "https://{vertex_host}/v1/projects/{project}/locations/{location}"


def target(base_url: str, **parameters: str) -> Target:
    return Target(Provider("it", base_url), base_url, parameters=parameters)


def test_a_path_is_appended_to_the_base() -> None:
    url = url_of(target("https://x.example/v1"), PLAIN, "gpt", is_streamed=True)
    assert url == "https://x.example/v1/chat/completions"


def test_an_endpoint_may_have_a_base_of_its_own() -> None:
    elsewhere = Endpoint("/v1/messages", base_url="https://{region}.example/anthropic")
    url = url_of(target("https://x.example", region="eu"), elsewhere, "m", is_streamed=False)
    assert url == "https://eu.example/anthropic/v1/messages"


def test_a_stream_may_have_a_path_of_its_own() -> None:
    found = [
        url_of(target("https://x.example"), INVOKED, "a:0", is_streamed=it) for it in (False, True)
    ]
    assert found == [
        "https://x.example/model/a%3A0/converse",
        "https://x.example/model/a%3A0/converse-stream",
    ]


@given(st.text(min_size=1).filter(lambda it: it.strip(".") and it.isprintable()))
def test_a_models_name_is_one_segment_of_the_path_whatever_it_holds(model: str) -> None:
    parts = urlsplit(url_of(target("https://x.example"), INVOKED, model, is_streamed=False))
    assert parts.netloc == "x.example"
    assert (parts.query, parts.fragment) == ("", "")
    assert [unquote(it) for it in parts.path.split("/")] == ["", "model", model, "converse"]


@pytest.mark.parametrize("model", [".", ".."])
def test_a_name_that_would_lead_out_of_its_path_is_no_model(model: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        url_of(target("https://x.example"), INVOKED, model, is_streamed=False)
    assert refused.value.param == "model"
    assert url_of(target("https://x.example"), PLAIN, model, is_streamed=False).endswith(
        "/chat/completions"
    )


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("europe-west1", "europe-west1-aiplatform.googleapis.com"),
        ("evil.example/", "evil.example%2F-aiplatform.googleapis.com"),
    ],
)
def test_vertex_ai_is_found_at_the_host_of_its_location(location: str, host: str) -> None:
    whole = target(VERTEX, location=location, project="my:p/1")
    url = url_of(whole, PLAIN, "m", is_streamed=False)
    assert url.startswith(f"https://{host}/v1/projects/my%3Ap%2F1/locations/")


def test_parameters_that_nobody_gave_are_told_in_their_order() -> None:
    assert missing_parameters(VERTEX, {}) == ("location", "project")
    assert missing_parameters(VERTEX, {"location": "eu", "project": "p"}) == ()
    assert missing_parameters("https://x.example/{model}", {}) == ()


def test_an_address_is_complete_when_all_of_its_parameters_are_known() -> None:
    provider = Provider("vertexai", VERTEX)
    assert not is_addressed(provider, None, {"location": "eu"})
    assert is_addressed(provider, None, {"location": "eu", "project": "p"})
    assert is_addressed(provider, "https://proxy.example", {})
    assert not is_addressed(Provider("own", None), None, {})

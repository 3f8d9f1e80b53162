"""What a caller is told when a provider refuses the credentials that the gateway sent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.upstream import Target
from bursar.services.targets import passage_of
from bursar.services.upstream_answers import refusal
from bursar.upstream.catalogue import load_catalogue
from functions.proxy.inbound import INBOUND

if TYPE_CHECKING:
    from bursar.dialects.passage import Passage
    from bursar.services.answers import WholeAnswer

KEY = "ABSKQmVkcm9ja0FQSUtleS1canary"
BEDROCK = Target(load_catalogue()["bedrock"], "https://bedrock.example")
OPENAI = Target(load_catalogue()["openai"], "https://openai.example", "sk-other-key")
ACCESS_DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/gateway-role/gateway-proxy is not authorized to "
    "perform: bedrock:InvokeModel on resource: "
    "arn:aws:bedrock:eu-west-1::foundation-model/openai.gpt-oss-120b-1:0"
)


def _passage(target: Target) -> tuple[Passage, Any]:
    body = {
        "model": "bedrock:openai.gpt-oss-120b-1:0",
        "messages": [{"role": "user", "content": "Hi"}],
    }
    request = INBOUND["/v1/chat/completions"].parse(json.dumps(body).encode(), "application/json")
    return passage_of(request, target, request.model.model, 0), request.errors


def refused(
    target: Target, message: str, *, status: int = 403, kind: str = "AccessDeniedException"
) -> WholeAnswer:
    passage, errors = _passage(target)
    headers = {"content-type": "application/json", "x-amzn-errortype": f"{kind}:http://x.example/"}
    body = json.dumps({"message": message}).encode()
    return refusal(status, headers, body, target=target, passage=passage, errors=errors)


def test_who_the_gateway_is_at_aws_is_not_told_to_its_callers() -> None:
    answer = refused(BEDROCK, ACCESS_DENIED)
    assert answer.status == 403
    assert b"refused the gateway's credentials" in answer.body
    assert b"123456789012" not in answer.body
    assert answer.headers["x-should-retry"] == "false"


def test_who_a_projects_key_belongs_to_is_not_told_either() -> None:
    answer = refused(replace(BEDROCK, api_key=KEY, provider_key_id="pk-1"), ACCESS_DENIED)
    assert b"refused the key in the project's vault" in answer.body
    assert b"123456789012" not in answer.body


@pytest.mark.parametrize(
    "kind",
    ["ExpiredTokenException", "InvalidSignatureException", "UnrecognizedClientException"],
)
def test_a_signature_that_aws_refuses_is_not_the_callers_fault(kind: str) -> None:
    answer = refused(BEDROCK, "The security token included in the request is invalid.", kind=kind)
    assert b"your own key is fine" in answer.body


def test_a_key_of_aws_is_not_quoted_to_callers() -> None:
    answer = refused(replace(BEDROCK, api_key=KEY), f"The key {KEY} is not active", status=400)
    assert KEY[:8].encode() not in answer.body


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (BEDROCK, "You don't have access to the model with the specified model ID."),
        (BEDROCK, "No profile arn:aws:bedrock:eu-west-1:1:application-inference-profile/x"),
        (OPENAI, ACCESS_DENIED),  # which only its caller can have written
    ],
)
def test_a_refusal_of_what_was_asked_for_passes(target: Target, message: str) -> None:
    assert message.encode() in refused(target, message).body

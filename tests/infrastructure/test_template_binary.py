"""What API Gateway hands over as bytes: uploads, and for sam local the audio that answers them."""

from __future__ import annotations

import json

from bursar.dialects.openai_errors import OPENAI_ERRORS
from bursar.domain.errors import RequestTooLarge
from tests.infrastructure import sam
from tests.infrastructure.template import properties

SPEECH = {"mp3": "mpeg", "opus": "opus", "aac": "aac", "flac": "flac", "wav": "wav", "pcm": "pcm"}


def test_uploads_are_bytes_to_api_gateway() -> None:
    assert "multipart/form-data" in properties("Api")["BinaryMediaTypes"]


def test_speech_in_each_of_its_formats_is_bytes_to_sam_local() -> None:
    assert {f"audio/{kind}" for kind in SPEECH.values()} <= {*properties("Api")["BinaryMediaTypes"]}


def test_json_stays_text_since_base64_would_leave_less_room_for_it() -> None:
    types = properties("Api")["BinaryMediaTypes"]
    assert not {"*/*", "application/*", "application/json", "text/event-stream"} & {*types}


def test_sam_passes_on_every_type() -> None:
    api = sam.transformed_resources()["Api"]["Properties"]
    told = {it.replace("~1", "/") for it in api["Body"]["x-amazon-apigateway-binary-media-types"]}
    assert told == {*properties("Api")["BinaryMediaTypes"]}


def test_what_is_too_large_for_aws_is_refused_as_the_gateway_refuses_what_is_for_it() -> None:
    refusal = properties("Api")["GatewayResponses"]["REQUEST_TOO_LARGE"]
    told = json.loads(refusal["ResponseTemplates"]["application/json"])
    error = RequestTooLarge(told["detail"])
    assert told == OPENAI_ERRORS.body_of(error)
    assert refusal["StatusCode"] == str(OPENAI_ERRORS.status_of(error))

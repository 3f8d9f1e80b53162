"""Answers whose status is not 200."""

from fastapi import Response
from pydantic import BaseModel

from functions.admin.exact_json import ExactJSONResponse


def created(content: BaseModel) -> Response:
    """A record that has been made."""
    return ExactJSONResponse(content.model_dump(), 201)

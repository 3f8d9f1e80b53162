"""The inference routes in the OpenAPI document.

Another function serves them, without FastAPI, so they are described by hand in `data_plane.json`;
an application's developer looks for all routes of a gateway in one place.
"""

import json
from importlib.resources import files
from typing import Any

from fastapi import FastAPI

TAG = {
    "name": "inference",
    "description": "What applications call, with a virtual key and the SDKs they have.",
}


def describe_data_plane(app: FastAPI) -> None:
    """Put the data plane's routes before the app's own in its document."""
    own = app.openapi

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            document, described = own(), _described()
            document["paths"] = {**described["paths"], **document["paths"]}
            components = document.setdefault("components", {})
            for kind, named in described["components"].items():
                components[kind] = {**components.get(kind, {}), **named}
            document["tags"] = [TAG, *document.get("tags", [])]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = whole  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _described() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(
        files(__package__).joinpath("data_plane.json").read_text("utf-8")
    )
    return described

from typing import Any

from pydantic import ConfigDict


def examples(*values: dict[str, Any]) -> ConfigDict:
    """A model's configuration that shows these values in the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": list(values)})

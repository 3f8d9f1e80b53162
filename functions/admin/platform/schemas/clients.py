from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, Field, StrictBool, StringConstraints

from bursar.domain.projects import Client, Project
from functions.admin.platform.schemas.fields import Timestamp
from functions.admin.schemas.examples import examples

_Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_IS_DEFAULT = "Requests without a client's name count for this one; a project has one or none."


class ClientCreate(BaseModel):
    """A new client."""

    model_config = examples({"name": "web", "is_default": True})

    name: _Name = Field(description="Unique in its project.")
    is_default: StrictBool = Field(default=False, description=_IS_DEFAULT)


class ClientPatch(BaseModel):
    """Changes to a client: an absent field is left alone, and so is one that is `null`."""

    model_config = examples({"name": "shop"})

    name: _Name | None = None
    is_default: StrictBool | None = Field(None, description=_IS_DEFAULT)


class ClientAnswer(BaseModel):
    """A named part of a project."""

    model_config = examples(
        {
            "id": "7d9a4f0e-2b1c-4e57-8f6e-2d5b9a1c3e44",
            "project_id": "550e8400-e29b-41d4-a716-446655440000",
            "name": "web",
            "is_default": True,
            "created_at": "2026-01-31T12:00:00.000000Z",
            "updated_at": "2026-01-31T12:00:00.000000Z",
        }
    )

    id: str
    project_id: str
    name: str
    is_default: bool
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, project: Project, client: Client) -> Self:
        return cls(
            id=client.client_id,
            project_id=client.project_id,
            name=client.name,
            is_default=client.client_id == project.default_client_id,
            created_at=client.created_at,
            updated_at=client.updated_at,
        )


class ClientList(BaseModel):
    """A page of clients, and how many there are in all."""

    data: list[ClientAnswer]
    count: int

    @classmethod
    def of(cls, project: Project, clients: Sequence[Client], count: int) -> Self:
        return cls(data=[ClientAnswer.of(project, client) for client in clients], count=count)

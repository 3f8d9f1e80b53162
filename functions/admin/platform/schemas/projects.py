from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, Field, StringConstraints

from bursar.domain.projects import Project
from bursar.services.platform.projects import ProjectRequest
from functions.admin.platform.schemas.fields import PublicKeyText, Timestamp
from functions.admin.schemas.examples import examples
from functions.admin.schemas.patch import Patch

ProjectName = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_Description = Annotated[str, StringConstraints(max_length=1024)]

_KEY = "whNl8wjy3ZWCS6GmErFY+GUiryKfSKA0aQTfseFuJHg="
_ENCRYPTION_KEY = (
    "The vault's public X25519 key in standard base64, of which the private half is never sent; "
    "no other project may have it."
)


class ProjectCreate(BaseModel):
    """A new project."""

    model_config = examples({"name": "web", "encryption_key": _KEY})

    name: ProjectName
    description: _Description | None = None
    encryption_key: PublicKeyText | None = Field(None, description=_ENCRYPTION_KEY)

    def request(self) -> ProjectRequest:
        return ProjectRequest(self.name, self.description, self.encryption_key)


class ProjectPatch(Patch):
    """Changes to a project: an absent field is left alone, `null` clears one."""

    model_config = examples({"name": "shop"})
    not_clearable: ClassVar[frozenset[str]] = frozenset({"name"})

    name: ProjectName | None = None
    description: _Description | None = None
    encryption_key: PublicKeyText | None = Field(
        None,
        description=f"{_ENCRYPTION_KEY} The old key ends at once; what is sealed for it stays as "
        "it is. `null` leaves the project without a vault.",
    )


_EXAMPLE = {
    "id": "550e8400-e29b-41d4-a716-446655440000",
    "name": "web",
    "description": None,
    "encryption_key": _KEY,
    "created_at": "2026-01-31T12:00:00.000000Z",
    "updated_at": "2026-01-31T12:00:00.000000Z",
}


class ListedProject(BaseModel):
    """A project in a list. any-llm's command makes a column of every field, so these are few."""

    model_config = examples(_EXAMPLE)

    id: str
    name: str
    description: str | None
    encryption_key: str | None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(**_fields(project))


class ProjectAnswer(ListedProject):
    """A project."""

    model_config = examples(
        {**_EXAMPLE, "previous_encryption_key": None, "previous_valid_until": None}
    )

    previous_encryption_key: str | None = Field(
        description="The vault's key that the last rotation with a grace period replaced."
    )
    previous_valid_until: Timestamp | None = Field(description="Until when that one works.")

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(
            **_fields(project),
            previous_encryption_key=project.previous_encryption_key,
            previous_valid_until=project.previous_valid_until,
        )


class ProjectList(BaseModel):
    """A page of projects, and how many there are in all."""

    data: list[ListedProject]
    count: int

    @classmethod
    def of(cls, projects: Sequence[Project], count: int) -> Self:
        return cls(data=[ListedProject.of(project) for project in projects], count=count)


def _fields(project: Project) -> dict[str, Any]:
    return {
        "id": project.project_id,
        "name": project.name,
        "description": project.description,
        "encryption_key": project.encryption_key,
        "created_at": project.created_at,
        "updated_at": project.updated_at,
    }

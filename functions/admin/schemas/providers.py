from typing import Self

from pydantic import BaseModel, Field

from bursar.domain.provider_standings import KeySource, ProviderStanding
from functions.admin.schemas.examples import examples


class ProviderAnswer(BaseModel):
    """A provider, and how this deployment stands to it. No secret is in it."""

    model_config = examples(
        {
            "name": "openai",
            "operations": ["chat", "responses", "embeddings"],
            "needs_key": True,
            "env_keys": ["OPENAI_API_KEY"],
            "env_base": "OPENAI_BASE_URL",
            "host": "api.openai.com",
            "is_configured": True,
            "has_key": True,
            "key_from": "environment",
            "key_name": "OPENAI_API_KEY",
        }
    )

    name: str = Field(description="What stands before the colon in a model's name.")
    operations: tuple[str, ...] = Field(description="What the provider serves.")
    needs_key: bool
    env_keys: tuple[str, ...] = Field(description="Variables that may hold its key.")
    env_base: str | None = Field(description="The variable that overrides its address.")
    host: str | None = Field(
        description="Where it is; null where that depends on what is not given or not known."
    )
    is_configured: bool | None = Field(
        description="Whether requests can be sent to it. Null where the management API cannot "
        "know it: deployed on Lambda, it sees neither the keys nor their names."
    )
    has_key: bool | None = Field(description="As `is_configured`.")
    key_from: KeySource | None = Field(
        description="`settings`: the configuration file, `environment`: a variable, `parameters`: "
        "of AWS Systems Manager, `role`: the process's own AWS role, without a key."
    )
    key_name: str | None = Field(description="The setting, variable or parameter that holds it.")

    @classmethod
    def of(cls, standing: ProviderStanding) -> Self:
        return cls(**{name: getattr(standing, name) for name in cls.model_fields})

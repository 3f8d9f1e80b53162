from typing import Literal, Self

from pydantic import BaseModel, Field

from bursar.services.policy import UserField
from bursar.settings import Settings
from functions.admin.schemas.examples import examples


class SettingsAnswer(BaseModel):
    """What the answering process was told when it started. No secret is in it."""

    model_config = examples(
        {
            "allow_unpriced": False,
            "use_price_catalogue": True,
            "user_field": "own",
            "charges_unknown": True,
            "allow_private_upstreams": False,
            "public_prices": True,
            "sign_up_open": False,
            "mock": None,
            "role_providers": [],
            "log_level": "INFO",
            "retries": 1,
            "rate_limit_rpm": None,
            "output_tokens_default": 16384,
            "useful_output_tokens": 256,
            "request_timeout_s": 840.0,
            "hold_margin_s": 60.0,
            "directory_age_s": 5.0,
        }
    )

    allow_unpriced: bool = Field(description="Models without a price are served, past budgets.")
    use_price_catalogue: bool
    user_field: UserField = Field(description="`any` lets every key spend every user's budget.")
    charges_unknown: bool = Field(
        description="What nobody knows the cost of is charged as it was held; else it is free."
    )
    allow_private_upstreams: bool = Field(
        description="Every provider may stand in a private network."
    )
    public_prices: bool
    sign_up_open: bool
    mock: bool | None = Field(
        description="Whether the provider mock is there; null where only if no other is."
    )
    role_providers: tuple[str, ...]
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    retries: int
    rate_limit_rpm: int | None
    output_tokens_default: int
    useful_output_tokens: int
    request_timeout_s: float
    hold_margin_s: float
    directory_age_s: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        parts = (settings, settings.policy, settings.platform)
        return cls(
            **{
                name: getattr(part, name)
                for name in cls.model_fields
                for part in parts
                if hasattr(part, name)
            }
        )

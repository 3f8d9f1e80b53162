"""Bodies of direct mode. What a report has beyond these fields is dropped as it is read."""

import hashlib
import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field

from bursar.domain.leases import Lease
from bursar.domain.projects import ProviderKey
from bursar.domain.usage import TokenUsage
from bursar.services.platform.leases import LeaseRequest
from bursar.services.platform.reports import UsageReport
from functions.admin.platform.schemas.fields import Amount, PublicKeyText, Timestamp
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import Integer, LimitUsd

_NAME = re.compile(r"[\w.:/@+-]{1,200}", re.ASCII)
_UNKNOWN = "unknown"
_TOKENS_MAX = 10**12
_HUNDREDTH = Decimal("0.01")
_MS_MAX = Decimal(10**10)


def _tokens(value: Any) -> Any:
    """Token counts come as text, from old scripts as numbers."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _name(value: Any) -> Any:
    """A provider's or a model's name: short, and nothing that a sentence could be.

    What is none is not kept, and the event is: refusing it would cost its caller the answer.
    """
    return value if not isinstance(value, str) or _NAME.fullmatch(value) else _UNKNOWN


def _event_id(value: Any) -> Any:
    """The client's id, or a digest of one that is not written like an id."""
    if not isinstance(value, str) or _NAME.fullmatch(value):
        return value
    return f"sha256/{hashlib.sha256(value.encode(errors='surrogateescape')).hexdigest()}"


def _number(value: Any) -> Decimal | None:
    """A measurement, or nothing where it is none: it never refuses a report."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value) if 0 <= value <= _MS_MAX else None


Tokens = Annotated[
    int,
    BeforeValidator(_tokens),
    Field(ge=0, le=_TOKENS_MAX),
]
ReportedName = Annotated[str, BeforeValidator(_name)]
EventId = Annotated[str, BeforeValidator(_event_id), Field(min_length=1)]
Measured = Annotated[Decimal | None, BeforeValidator(_number)]


class ChallengeRequest(BaseModel):
    """Whose vault it is."""

    encryption_key: PublicKeyText = Field(description="The vault's public key, standard base64.")


class ChallengeAnswer(BaseModel):
    """A random id that only the vault's private key opens."""

    encrypted_challenge: str


class TokenRequest(BaseModel):
    """The id that was sealed."""

    solved_challenge: str = Field(max_length=100)


class ProjectTokenAnswer(BaseModel):
    """A token that stands for a project."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (a scheme's name)
    expires_in: int = Field(description="Seconds.")


class SealedKeyAnswer(BaseModel):
    """A provider key that only the vault's private key opens."""

    id: str
    project_id: str
    provider: str
    encrypted_key: str
    version: int = Field(description="What format v2 binds beside project and provider.")
    created_at: Timestamp
    updated_at: Timestamp | None

    @classmethod
    def of(cls, key: ProviderKey) -> Self:
        return cls(
            id=key.provider_key_id,
            project_id=key.project_id,
            provider=key.provider,
            encrypted_key=key.encrypted_key,
            version=key.version,
            created_at=key.created_at,
            updated_at=key.updated_at,
        )


class Performance(BaseModel):
    """How long an answer took, in milliseconds."""

    time_to_first_token_ms: Measured = None
    total_duration_ms: Measured = None
    tokens_per_second: Measured = None
    chunks_received: Measured = None


class UsageData(BaseModel):
    """What a provider counted."""

    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    performance: Performance | None = None


class UsageEvent(BaseModel):
    """One call that a client made itself. Unknown fields are dropped, whatever is in them."""

    id: EventId = Field(description="The client's; an event is counted once by it.")
    provider: ReportedName
    model: ReportedName
    provider_key_id: Annotated[str | None, Field(max_length=64)] = None
    client_name: Annotated[str | None, Field(max_length=255)] = None
    lease_id: Annotated[str | None, Field(max_length=64)] = None
    data: UsageData

    def report(self, endpoint: str, client_name: str | None) -> UsageReport:
        measured = self.data.performance or Performance()
        usage = TokenUsage(self.data.input_tokens, self.data.output_tokens)
        return UsageReport(
            event_id=self.id,
            endpoint=endpoint,
            provider=self.provider,
            model=self.model,
            usage=usage,
            provider_key_id=self.provider_key_id,
            client_name=self.client_name or client_name,
            is_streamed=measured.chunks_received is not None,
            duration_ms=_whole(measured.total_duration_ms),
            first_token_ms=_whole(measured.time_to_first_token_ms),
            tokens_per_second=_rate(measured, usage),
            lease_id=self.lease_id,
        )


class LeaseCreate(BaseModel):
    """An amount to be reserved, and for how long."""

    model_config = examples(
        {"amount": "0.50", "duration_sec": 600, "client_name": "web", "minimum": "0.10"}
    )

    amount: LimitUsd = Field(description="US dollars.")
    duration_sec: Integer = Field(description="How long it may be spent from.")
    client_name: Annotated[str | None, Field(max_length=255)] = None
    minimum: LimitUsd | None = Field(
        None, description="Less than the amount will do, down to this; null takes all or nothing."
    )

    def request(self, client_name: str | None) -> LeaseRequest:
        return LeaseRequest(
            self.amount, self.duration_sec, self.client_name or client_name, self.minimum
        )


class LeaseAnswer(BaseModel):
    """A lease as it stands."""

    id: str
    project_id: str
    client_id: str | None
    amount: Amount
    used: Amount = Field(description="What has been reported under it.")
    status: Literal["open", "closed"]
    charged: Amount | None = Field(description="What the budgets were charged when it closed.")
    created_at: Timestamp
    expires_at: Timestamp = Field(description="It must not be spent from any more.")
    report_until: Timestamp = Field(description="What is not reported by then may be charged.")

    @classmethod
    def of(cls, lease: Lease) -> Self:
        return cls(**_lease_fields(lease))


class GrantedLease(LeaseAnswer):
    """A new lease, and the gateway's signed statement of it."""

    statement: str = Field(
        description="A JSON Web Token, EdDSA; the keys are at `/api/v1/leases/keys`."
    )

    @classmethod
    def granted(cls, lease: Lease, statement: str) -> Self:
        return cls(statement=statement, **_lease_fields(lease))


class SigningKey(BaseModel):
    """A public key, as RFC 7517 and RFC 8037 write it."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    kid: str
    x: str


class SigningKeys(BaseModel):
    keys: list[SigningKey]


def _lease_fields(lease: Lease) -> dict[str, Any]:
    return {
        "id": lease.lease_id,
        "project_id": lease.project_id,
        "client_id": lease.client_id,
        "amount": lease.amount_usd,
        "used": lease.used_usd,
        "status": "open" if lease.closed_at is None else "closed",
        "charged": lease.charged_usd,
        "created_at": lease.created_at,
        "expires_at": lease.ends_at,
        "report_until": lease.deadline,
    }


def _whole(measured: Decimal | None) -> int | None:
    return None if measured is None else int(measured)


def _rate(measured: Performance, usage: TokenUsage) -> Decimal | None:
    """Tokens a second, as it was measured or else by the whole duration."""
    rate, duration_ms = measured.tokens_per_second, measured.total_duration_ms
    if rate is None and duration_ms:
        rate = usage.output_tokens * 1000 / duration_ms
    return None if rate is None else rate.quantize(_HUNDREDTH, rounding=ROUND_HALF_EVEN)

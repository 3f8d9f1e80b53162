from dataclasses import dataclass, field

from bursar.settings import Settings

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """What a deployment decides about the management API.

    Attributes:
        cors_allow_origins: browser origins that may call it; `*` allows all, without credentials.
        public_prices: whether prices can be read without a credential.
        describes_data_plane: whether the OpenAPI document has the inference routes as well, which
            the same address serves by another function.
        deployment: what the process was told when it started, which `/v1/settings` shows.
        version: what readiness and the OpenAPI document say.
    """

    cors_allow_origins: tuple[str, ...] = ()
    public_prices: bool = True
    describes_data_plane: bool = False
    deployment: Settings = field(default_factory=Settings, repr=False)
    version: str = VERSION

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


def _installed_version() -> str:
    try:
        return version("bursar")
    except PackageNotFoundError:
        # A Lambda package holds the code without its metadata.
        return "unpackaged"


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """What a deployment decides about the management API.

    Attributes:
        cors_allow_origins: browser origins that may call it; `*` allows all, without credentials.
        public_prices: whether prices can be read without a credential.
        version: what readiness and the OpenAPI document say.
    """

    cors_allow_origins: tuple[str, ...] = ()
    public_prices: bool = True
    version: str = _installed_version()

"""The table of PROVIDERS.md, made from the catalogue.

    python -m infra.providers.table

writes it anew between its two marks; a test holds the page to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bursar.upstream.catalogue import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.domain.upstream import Provider

PAGE: Final = Path(__file__).parents[1] / "PROVIDERS.md"
_BEGIN: Final = "<!-- made by infra/providers/table.py: begin -->\n"
_END: Final = "<!-- end -->\n"
# Operations that callers name; those of Bedrock's own dialects carry chat and embeddings there.
_SHOWN: Final = {
    "chat": "chat",
    "responses": "responses",
    "messages": "messages",
    "embeddings": "embeddings",
    "images": "images",
    "image_edits": "image edits",
    "speech": "speech",
    "transcriptions": "transcriptions",
    "translations": "translations",
    "moderations": "moderations",
    "rerank": "rerank",
}
_CARRIED: Final = {"converse": "chat", "titan_embeddings": "embeddings"}
_SCHEMES: Final = {
    "aws": "the process's AWS role",
    "sagemaker": "the process's AWS role",
    "google": "`GOOGLE_APPLICATION_CREDENTIALS`",
}


def table() -> str:
    """One row a provider, in Markdown."""
    head = ["| provider | its own dialects and operations | key | base URL |", "|---|---|---|---|"]
    return "\n".join([*head, *map(_row, load_catalogue().values())]) + "\n"


def written(page: str) -> str:
    """A page with the table as it is now between its marks."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + _BEGIN + table() + _END + after


def _row(provider: Provider) -> str:
    served = {_CARRIED.get(it, it) for it in provider.endpoints}
    shown = [text for name, text in _SHOWN.items() if name in served]
    cells = [f"`{provider.name}`", ", ".join(shown), _key(provider), _base(provider)]
    return f"| {' | '.join(cells)} |"


def _key(provider: Provider) -> str:
    ways = [f"`{it}`" for it in provider.env_keys]
    if provider.auth in _SCHEMES:
        ways.append(_SCHEMES[provider.auth])
    if provider.is_local:
        ways.append("none")
    return ", or ".join(ways) or "in the settings"


def _base(provider: Provider) -> str:
    shown = f"`{provider.base_url}`" if provider.base_url else "yours"
    asked = [_parameter(name, it.env) for name, it in provider.parameters.items() if it.env]
    given = [it for it in asked if it and f"{{{it[0]}}}" in str(provider.base_url)]
    variables = [f"`{{{name}}}` from `{variable}`" for name, variable in given]
    return "; ".join([shown, *variables, f"`{provider.env_base}`"])


def _parameter(name: str, variables: Iterable[str]) -> tuple[str, str]:
    return name, next(iter(variables))


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

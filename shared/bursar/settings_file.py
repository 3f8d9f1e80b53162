"""The YAML configuration file, in the seed gateway's format, with `${VAR}` filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import WrongSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def read_file(path: str | None, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """The file's mapping, empty where no file is named.

    Raises:
        WrongSetting: it cannot be read, is not YAML, or refers to a variable that is not set.
    """
    if not path:
        return {}
    import yaml  # noqa: PLC0415 (a deployment without a file need not ship it)

    try:
        content = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongSetting(f"BURSAR_CONFIG: cannot read {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # A parser's message quotes the line it stopped at, which may hold a key.
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise WrongSetting(f"BURSAR_CONFIG: {path} is not valid YAML{where}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise WrongSetting(f"BURSAR_CONFIG: {path} must be a mapping of settings")
    return {str(name): _filled(str(name), value, environ) for name, value in content.items()}


def _filled(where: str, value: Any, environ: Mapping[str, str]) -> Any:
    match value:
        case dict():
            return {key: _filled(f"{where}.{key}", item, environ) for key, item in value.items()}
        case list():
            return [_filled(where, item, environ) for item in value]
        case str():
            return _VARIABLE.sub(lambda found: _variable(where, found[1], environ), value)
        case _:
            return value


def _variable(where: str, name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise WrongSetting(
            f"'{where}' in the configuration file refers to ${{{name}}}, which is not set: "
            f"export {name}, or take the line out"
        )
    return environ[name]

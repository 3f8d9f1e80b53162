"""How a setting's value is read, from the environment's text or from YAML's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from bursar.domain.errors import WrongSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

ValueT = TypeVar("ValueT")

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_PORT_MAX = 65_535


def parse(given: tuple[str, Any], read: Callable[[Any], ValueT]) -> ValueT:
    """Read a value.

    Args:
        given: where it stands, and the value.
        read: one of this module's readers.

    Raises:
        WrongSetting: it is not what the reader wants.
    """
    where, value = given
    try:
        return read(value)
    except ValueError as error:
        raise WrongSetting(f"{where} {error}") from None


def optional(where: str, value: Any, read: Callable[[Any], ValueT]) -> ValueT | None:
    """Read a value that may be left out, or left empty.

    Raises:
        WrongSetting: it is not what the reader wants.
    """
    return None if value in (None, "") else parse((where, value), read)


def mapping(where: str, value: Any) -> Mapping[str, Any]:
    """A section of the configuration file.

    Raises:
        WrongSetting: it is something else.
    """
    if not isinstance(value, Mapping):
        raise WrongSetting(f"'{where}' in the configuration file must be a mapping")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError("must be text")  # noqa: TRY004 (one kind of error for `parse`)
    return str(value)


def check_names(where: str, row: Iterable[Any], known: Collection[str]) -> None:
    """See that a mapping of the configuration file holds nothing that is not understood.

    Raises:
        WrongSetting: it does; a slip of the pen must not be a setting that does nothing.
    """
    for name in row:
        if name not in known:
            raise WrongSetting(f"{where}.{name} is no setting; known are {', '.join(known)}")


def flag(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"must be true or false; it is {value!r}")
    return word in _TRUE


def count(value: Any) -> int:
    number = _number(value)
    if number != int(number) or number < 1:
        raise ValueError(f"must be a whole number of at least 1; it is {value!r}")
    return int(number)


def at_most(most: int) -> Callable[[Any], int]:
    """A whole number from 0 on."""

    def read(value: Any) -> int:
        word = str(value).strip()
        if not (word.isascii() and word.isdigit()) or int(word) > most:
            raise ValueError(f"must be a whole number from 0 to {most}; it is {value!r}")
        return int(word)

    return read


def port(value: Any) -> int:
    number = count(value)
    if number > _PORT_MAX:
        raise ValueError(f"must be a port, at most {_PORT_MAX}; it is {value!r}")
    return number


def seconds(value: Any) -> float:
    number = _number(value)
    if number < 0:
        raise ValueError(f"must be a number of seconds, zero or more; it is {value!r}")
    return number


def listed(value: Any) -> tuple[str, ...]:
    """A YAML list, or words separated by commas."""
    words = value if isinstance(value, list) else str(value).split(",")
    return tuple(str(word).strip() for word in words if str(word).strip())


def one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        found = [word for word in words if word.lower() == str(value).lower()]
        if not found:
            raise ValueError(f"must be one of {', '.join(words)}; it is {value!r}")
        return found[0]

    return read


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"must be a number; it is {value!r}") from None
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 (not a number)
        raise ValueError(f"must be a finite number; it is {value!r}")
    return number

"""A JSON object whose fields are taken one by one: what nobody takes is refused, never dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from bursar.dialects.translator import Untranslatable
from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_T = TypeVar("_T")

_WORDS: Final[Mapping[type, str]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
_ADVICE: Final[Mapping[str, str]] = {
    "functions": "use 'tools' instead",
    "function_call": "use 'tool_choice' and 'tool_calls' instead",
}


class Fields:
    """What is left of an object.

    Null is the same as absent, as it is to OpenAI.

    Args:
        value: what should be an object.
        dialect: whose counterparts are sought, for error messages.
        path: where the object is in the request, as in `messages[0].content[1]`.

    Raises:
        InvalidRequest: it is no object.
    """

    def __init__(self, value: Any, dialect: str, path: str = "") -> None:
        if not isinstance(value, dict):
            raise _not_a(dict, path)
        self._left = {name: each for name, each in value.items() if each is not None}
        self.dialect = dialect
        self.path = path

    def at(self, name: str) -> str:
        """Where a field is in the request."""
        return f"{self.path}.{name}" if self.path else name

    def take(self, name: str, kind: type[_T]) -> _T | None:
        """A field's value, None where it is absent.

        Raises:
            InvalidRequest: it is of another type.
        """
        value = self._left.pop(name, None)
        if value is None:
            return None
        if not _is_a(kind, value):
            raise _not_a(kind, self.at(name))
        return cast("_T", value)

    def need(self, name: str, kind: type[_T]) -> _T:
        """A field's value, which must be there.

        Raises:
            InvalidRequest: it is not, or of another type.
        """
        value = self.take(name, kind)
        if value is None:
            raise InvalidRequest(f"'{self.at(name)}' is required", param=self.at(name))
        return value

    def take_any(self, name: str) -> Any:
        """A field's value whatever it is, None where it is absent."""
        return self._left.pop(name, None)

    def peek(self, name: str) -> Any:
        """A field's value, None where it is absent; it is not taken."""
        return self._left.get(name)

    def inner(self, name: str) -> Fields | None:
        """A field that is an object itself."""
        value = self._left.pop(name, None)
        return None if value is None else Fields(value, self.dialect, self.at(name))

    def each(self, name: str) -> list[Fields]:
        """A field that is a list of objects; none where it is absent."""
        values: list[Any] = self.take(name, list) or []
        return [
            Fields(value, self.dialect, f"{self.at(name)}[{index}]")
            for index, value in enumerate(values)
        ]

    def leave(self, *names: str) -> None:
        """Leave out fields that change nothing in the answer."""
        for name in names:
            self._left.pop(name, None)

    def only(self, name: str, values: Collection[Any]) -> None:
        """Leave out a field whose value asks for nothing but what happens anyway.

        Raises:
            Untranslatable: it asks for something.
        """
        if name in self._left and self._left.pop(name) not in values:
            raise self.refusal(name)

    def refusal(self, name: str, why: str = "") -> Untranslatable:
        """What to raise over a field; `why` ends the sentence."""
        why = why or f"has no counterpart in {self.dialect}: {_ADVICE.get(name, 'leave it out')}"
        return Untranslatable(f"'{self.at(name)}' {why}", param=self.at(name))

    def close(self) -> None:
        """Hold that everything was taken.

        Raises:
            Untranslatable: a field is left.
        """
        for name in self._left:
            raise self.refusal(name)


def _is_a(kind: type, value: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _not_a(kind: type, path: str) -> InvalidRequest:
    return InvalidRequest(f"'{path}' must be {_WORDS[kind]}", param=path)

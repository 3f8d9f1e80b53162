"""A multipart/form-data body whose fields are rewritten one by one, while all else keeps its bytes.

Sans-IO. Source of the format: RFC 7578 and RFC 2046, section 5.1. Less is accepted than they allow,
and than lenient parsers do: what a provider could read in another way than the gateway, such as a
second `model` or a boundary within a part, is refused, because the price follows what is read here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import msgspec

from bursar.dialects.translator import Untranslatable
from bursar.domain.errors import InvalidRequest, Unprocessable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bursar.dialects.request import Terms

_StructT = TypeVar("_StructT", bound=msgspec.Struct)

MULTIPART: Final = "multipart/form-data"

_PARTS_MAX: Final = 256
_HEAD_BYTES_MAX: Final = 4_096
_BOUNDARY = re.compile(
    r';\s*boundary=(?:"([^"\\]{1,70})"|([^\s;"\\]{1,70}))(?=\s*(?:;|$))', re.IGNORECASE
)
_FORM_DATA = re.compile(r'form-data((?:\s*;\s*[A-Za-z*]+=(?:"(?:[^"\\]|\\.)*"|[^\s;"\\]+))+)\s*')
_PARAMETER = re.compile(r';\s*([A-Za-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"\\]+))')
# Where a lenient parser may see the end of a line or of a text.
_CONTROL = re.compile(r"[\n\r\0]")
_PLAIN_ENCODINGS: Final = frozenset({"7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class Part:
    """One field of the form.

    Attributes:
        name: the field's.
        head: the header lines as they came, without the blank line.
        content: as it came.
        is_file: the part has a file's name.
    """

    name: str
    head: bytes = field(repr=False)
    content: bytes = field(repr=False)
    is_file: bool = False

    def renamed(self, name: str) -> Part:
        old = re.compile(rb'(;\s*name=)(?:"[^"]*"|[^\s;]+)', re.IGNORECASE)
        head = old.sub(lambda found: found[1] + b'"' + name.encode() + b'"', self.head, count=1)
        return replace(self, name=name, head=head)


class MultipartBody:
    """A form as its caller wrote it.

    Args:
        raw: the bytes.
        content_type: the request's header, which names the boundary.

    Raises:
        InvalidRequest: not such a form, or one that could be read in several ways.
    """

    def __init__(self, raw: bytes, content_type: str) -> None:
        self.content_type = content_type
        self._delimiter = b"--" + _boundary_of(content_type)
        self.parts, self._before, self._after = _split(raw, self._delimiter)
        self._length = len(raw)

    def __len__(self) -> int:
        return self._length

    def __contains__(self, name: str) -> bool:
        return any(_stem(part.name) == name for part in self.parts)

    def files(self, *names: str) -> Sequence[Part]:
        """The parts that hold files, whatever their names, and those of these names."""
        return [part for part in self.parts if part.is_file or _stem(part.name) in names]

    def text_bytes(self) -> int:
        """Length of everything but files."""
        return sum(len(part.content) for part in self.parts if not part.is_file)

    def read(self, kind: type[_StructT]) -> _StructT:
        """Read the fields that a struct names; each is a text and comes once.

        Raises:
            InvalidRequest: a field comes twice, as a file or as a list.
            Unprocessable: one is missing or of the wrong type; `param` names it.
        """
        wanted = {info.name for info in msgspec.structs.fields(kind)}
        found = [part for part in self.parts if _stem(part.name) in wanted]
        names = Counter(_stem(part.name) for part in found)
        for part in found:
            if names[part.name] != 1 or part.is_file:
                raise _bad(f"field '{_stem(part.name)}' must come once, as text", _stem(part.name))
        return _converted({part.name: _text_of(part) for part in found}, kind)

    def document(self) -> NoReturn:
        """A form has no JSON that a translator could work on.

        Raises:
            Untranslatable: always.
        """
        raise Untranslatable("The model's provider takes no such upload")

    def rewritten(self, terms: Terms, **changes: str) -> bytes:
        """The form with some fields set and the endpoint's quirks applied.

        Every other part keeps its bytes and its place. Where a renamed field's new name is taken,
        the part under that name stays.
        """
        names = {part.name for part in self.parts}
        kept = []
        for part in self.parts:
            known_as = terms.renamed_fields.get(part.name, part.name)
            is_taken = known_as != part.name and known_as in names
            if is_taken or known_as in terms.dropped_fields or known_as in terms.added_fields:
                continue
            if part.name in changes:
                part = replace(part, content=changes[part.name].encode())  # noqa: PLW2901
            kept.append(part if known_as == part.name else part.renamed(known_as))
        return self._joined([*kept, *(_added(*item) for item in terms.added_fields.items())])

    def _joined(self, parts: Iterable[Part]) -> bytes:
        pieces = [self._before]
        for part in parts:
            pieces += (
                self._delimiter, b"\r\n", part.head, b"\r\n\r\n", part.content, b"\r\n",
            )  # fmt: skip
        return b"".join([*pieces, self._delimiter, self._after])


def _boundary_of(content_type: str) -> bytes:
    if content_type.partition(";")[0].strip().lower() != MULTIPART:
        raise InvalidRequest(f"This route takes {MULTIPART}, not '{content_type}'")
    found = _BOUNDARY.findall(content_type)
    if len(found) != 1:
        raise _bad("the content type must name its boundary once")
    quoted, plain = found[0]
    return str(quoted or plain).encode("latin-1", errors="replace")


def _split(raw: bytes, delimiter: bytes) -> tuple[list[Part], bytes, bytes]:
    """The parts, what stands before the first and what ends the form.

    The form is cut wherever the delimiter occurs at all, so none can hide within a part.
    """
    before, *pieces = raw.split(delimiter, _PARTS_MAX + 2)
    if not pieces or before not in (b"", b"\r\n"):
        raise _bad("it does not begin with the boundary that the content type names")
    *bodies, after = pieces
    if len(bodies) > _PARTS_MAX:
        raise _bad(f"it has more than {_PARTS_MAX} parts")
    if after.rstrip(b"\r\n") != b"--":
        raise _bad("it does not end with its boundary; was the upload cut off?")
    return [_part_of(body) for body in bodies], before, after


def _part_of(piece: bytes) -> Part:
    if not (piece.startswith(b"\r\n") and piece.endswith(b"\r\n")):
        raise _bad("its boundary occurs within a part, or lines do not end with CRLF")
    head, blank, content = piece[2:-2].partition(b"\r\n\r\n")
    if not blank or len(head) > _HEAD_BYTES_MAX:
        raise _bad("a part has no headers, or too long ones")
    name, is_file = _disposition(head)
    return Part(name, head, content, is_file)


def _disposition(head: bytes) -> tuple[str, bool]:
    """A part's name, and whether it is a file."""
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError:
        raise _bad("a part's headers are not UTF-8") from None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        is_cut = _CONTROL.search(line) is not None
        if not colon or name != name.strip() or name.lower() in headers or is_cut:
            raise _bad("a part's headers are malformed")
        headers[name.lower()] = value.strip()
    if headers.get("content-transfer-encoding", "binary").lower() not in _PLAIN_ENCODINGS:
        raise _bad("a part has a transfer encoding, which forms do not have")
    return _names(headers.get("content-disposition", ""))


def _names(disposition: str) -> tuple[str, bool]:
    form_data = _FORM_DATA.fullmatch(disposition)
    if form_data is None:
        raise _bad("a part's Content-Disposition must be form-data with a name")
    found = _PARAMETER.findall(form_data[1])
    parameters = {key.lower(): quoted or plain for key, quoted, plain in found}
    name = parameters.get("name", "")
    is_ambiguous = len(parameters) != len(found) or "name*" in parameters or "\\" in name
    if not name or is_ambiguous:
        raise _bad("a part's Content-Disposition must have one name, without escapes")
    return name, "filename" in parameters or "filename*" in parameters


def _stem(name: str) -> str:
    """What a form's list or object is called: `image` of `image[]`."""
    return name.partition("[")[0]


def _text_of(part: Part) -> str:
    try:
        return part.content.decode()
    except UnicodeDecodeError:
        raise Unprocessable(f"{part.name}: is not UTF-8", param=part.name) from None


def _converted(texts: dict[str, str], kind: type[_StructT]) -> _StructT:
    try:
        return msgspec.convert(texts, type=kind, strict=False)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        param = path.rstrip("`").lstrip(".") or None
        raise Unprocessable(f"{param}: {message}" if param else message, param=param) from None


def _added(name: str, value: Any) -> Part:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    head = f'Content-Disposition: form-data; name="{name}"'
    return Part(name, head.encode(), text.encode())


def _bad(what: str, param: str | None = None) -> InvalidRequest:
    return InvalidRequest(f"The request body is no valid {MULTIPART}: {what}", param=param)

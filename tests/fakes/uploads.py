"""Forms as a server reads them, by another parser than the gateway's."""

from __future__ import annotations

from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.http_server import RecordedRequest


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form."""

    file_name: str
    content_type: str
    content: bytes


def fields_of(request: RecordedRequest) -> dict[str, Any]:
    """A request's fields, of JSON or of a form; what a form repeats is a list without brackets."""
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/"):
        body: dict[str, Any] = request.json()
        return body
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    fields: dict[str, Any] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        raw = part.get_payload(decode=True)
        assert isinstance(raw, bytes)
        file_name = part.get_filename()
        value = (
            raw.decode() if file_name is None else Upload(file_name, part.get_content_type(), raw)
        )
        if name.endswith("[]"):
            fields.setdefault(name.removesuffix("[]"), []).append(value)
        else:
            fields[name] = value
    return fields

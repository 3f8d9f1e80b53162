"""Reads a message's `content`: a string, or a list of parts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bursar.dialects.chat_reading.blocks import Document, Image, Inline, Link, Source, Text
from bursar.dialects.chat_reading.fields import Fields
from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[^;,]+)*?;base64,", re.IGNORECASE)
_LINK: Final = re.compile("https?://", re.IGNORECASE)
_MEDIA_TYPES: Final = {"image/jpg": "image/jpeg"}

TEXTS: Final = frozenset({"text"})
SAID: Final = frozenset({"text", "refusal"})
SHOWN: Final = frozenset({"text", "image_url", "file"})


def read_parts(message: Fields, kinds: Collection[str]) -> list[Text | Image | Document]:
    """A message's content; blank texts are left out, for they say nothing and are refused.

    Args:
        message: whose `content` is taken.
        kinds: of parts that the message's role may have.

    Raises:
        Untranslatable: a part is of another kind, or asks for what the dialect does not have.
        InvalidRequest: a part is malformed.
    """
    content = message.take_any("content")
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(message.at("content"), content)] if content.strip() else []
    if not isinstance(content, list):
        path = message.at("content")
        raise InvalidRequest(f"'{path}' must be a string or a list of parts", param=path)
    parts = [
        _read(Fields(part, message.dialect, f"{message.at('content')}[{index}]"), kinds)
        for index, part in enumerate(content)
    ]
    return [part for part in parts if not isinstance(part, Text) or part.text.strip()]


def _read(part: Fields, kinds: Collection[str]) -> Text | Image | Document:
    kind = part.need("type", str)
    if kind not in kinds:
        raise part.refusal("type", f"is '{kind}', which has no counterpart in {part.dialect} here")
    part.leave("prompt_cache_breakpoint")  # where OpenAI's own cache may end
    read = replace(_READERS[kind](part), cache=part.take("cache_control", dict))
    part.close()
    return read


def _text(part: Fields) -> Text:
    return Text(part.path, part.need("text", str))


def _refusal(part: Fields) -> Text:
    return Text(part.path, part.need("refusal", str))


def _image(part: Fields) -> Image:
    image = _required(part, "image_url")
    # An image is always seen in full detail; only what asks for less would not be done.
    if image.take("detail", str) not in {None, "auto", "high", "original"}:
        raise image.refusal("detail", f"must be 'auto' or 'high' for {part.dialect}")
    source = _source(image.need("url", str), image.at("url"))
    image.close()
    return Image(part.path, source)


def _file(part: Fields) -> Document:
    file = _required(part, "file")
    if file.peek("file_id") is not None:
        raise file.refusal("file_id", "names a file that another provider keeps: send 'file_data'")
    name = file.take("filename", str)
    source = _source(file.need("file_data", str), file.at("file_data"))
    file.close()
    return Document(part.path, source, name)


def _required(part: Fields, name: str) -> Fields:
    inner = part.inner(name)
    if inner is None:
        raise InvalidRequest(f"'{part.at(name)}' is required", param=part.at(name))
    return inner


def _source(url: str, path: str) -> Source:
    found = _DATA_URL.match(url)
    if found is not None:
        media_type = found[1].lower()
        return Inline(_MEDIA_TYPES.get(media_type, media_type), url[found.end() :])
    if _LINK.match(url):
        return Link(url)
    raise InvalidRequest(
        f"'{path}' must be an http(s) URL, or a data URL in base64 such as "
        "'data:image/png;base64,…'",
        param=path,
    )


_READERS: Final[Mapping[str, Callable[[Fields], Text | Image | Document]]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "file": _file,
}

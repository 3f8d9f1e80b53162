"""Makes parts of a chat's message of the blocks that people and tools show a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.chat_reading.fields import Fields
from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Part = dict[str, Any]
_UNCITED: Final = [{"enabled": False}, {}]
_FILE_NAME: Final = "document.pdf"


def blocks_in(holder: Fields, name: str) -> list[Fields]:
    """The blocks of a field that may also be a string, which is one block of text.

    Raises:
        InvalidRequest: it is neither.
    """
    value = holder.take_any(name)
    blocks = [{"type": "text", "text": value}] if isinstance(value, str) else value or []
    if not isinstance(blocks, list):
        path = holder.at(name)
        raise InvalidRequest(f"'{path}' must be a string or a list of blocks", param=path)
    return [
        Fields(block, holder.dialect, f"{holder.at(name)}[{index}]")
        for index, block in enumerate(blocks)
    ]


def parts_of(blocks: Iterable[Fields]) -> list[Part]:
    """The parts, a mark to cache up to a block on its last part; empty text says nothing.

    Raises:
        Untranslatable: a block is of another kind, or has what parts have not.
        InvalidRequest: a block is malformed.
    """
    parts: list[Part] = []
    for block in blocks:
        kind = block.need("type", str)
        if kind not in _READERS:
            raise block.refusal("type", f"is '{kind}', which has no counterpart here")
        cache = block.take("cache_control", dict)
        made = [part for part in _READERS[kind](block) if part["type"] != "text" or part["text"]]
        if cache is not None and made:
            made[-1]["cache_control"] = cache
        parts += made
        block.close()
    return parts


def joined(parts: list[Part], between: str) -> str | list[Part]:
    """The parts as one text where they are nothing else, which every provider takes."""
    is_plain = all(part.keys() == {"type", "text"} for part in parts)
    return between.join(part["text"] for part in parts) if is_plain else parts


def _text(block: Fields) -> list[Part]:
    block.leave("citations")  # of an answer that was given: what they cite is in the text
    return [{"type": "text", "text": block.need("text", str)}]


def _image(block: Fields) -> list[Part]:
    block.only("transformations", [{}, {"oversized_image": "downsize"}])
    source = _source(block)
    url = _url_of(source, source.need("type", str))
    source.close()
    return [{"type": "image_url", "image_url": {"url": url}}]


def _document(block: Fields) -> list[Part]:
    block.only("citations", _UNCITED)
    title, context = block.take("title", str), block.take("context", str)
    source = _source(block)
    kind = source.need("type", str)
    shown: list[Part]
    if kind == "text":
        source.leave("media_type")
        shown = [_told(title, context, source.need("data", str))]
    elif kind == "content":
        shown = [_told(title, context), *parts_of(blocks_in(source, "content"))]
    else:
        file = {"filename": title or _FILE_NAME, "file_data": _url_of(source, kind)}
        shown = [_told(context), {"type": "file", "file": file}]
    source.close()
    return shown


def _search_result(block: Fields) -> list[Part]:
    block.only("citations", _UNCITED)
    title, source = block.need("title", str), block.need("source", str)
    texts = [part["text"] for part in parts_of(blocks_in(block, "content"))]
    return [_told(title, source, *texts)]


def _source(block: Fields) -> Fields:
    source = block.inner("source")
    if source is None:
        path = block.at("source")
        raise InvalidRequest(f"'{path}' is required", param=path)
    return source


def _url_of(source: Fields, kind: str) -> str:
    """A link, or a data URL around what is inlined."""
    if kind == "url":
        return source.need("url", str)
    if kind == "base64":
        return f"data:{source.need('media_type', str)};base64,{source.need('data', str)}"
    raise source.refusal("type", f"is '{kind}', which other providers cannot read: use base64")


def _told(*texts: str | None) -> Part:
    return {"type": "text", "text": "\n".join(text for text in texts if text)}


_READERS: Final[Mapping[str, Callable[[Fields], list[Part]]]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
}

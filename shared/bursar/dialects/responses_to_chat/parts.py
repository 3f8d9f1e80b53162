"""Content of Responses items as chat messages have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.responses_to_chat.fields import kind_of, only, untranslatable
from bursar.dialects.translator import Untranslatable

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT_PARTS: Final = frozenset({"input_text", "output_text", "text"})
# They say where a cache may end, which changes nothing in an answer.
_CACHE: Final = "prompt_cache_breakpoint"


def content_of(content: Any, where: str) -> str | list[dict[str, Any]]:
    """A user's content: plain text where it is nothing else, which every provider takes.

    Raises:
        Untranslatable: a part has no counterpart.
    """
    if isinstance(content, str):
        return content
    parts = [_part(part, f"{where}[{index}]") for index, part in enumerate(_listed(content, where))]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def text_of(content: Any, where: str, between: str = "\n") -> str:
    """Content that may be nothing but text.

    Raises:
        Untranslatable: it is something else.
    """
    if isinstance(content, str):
        return content
    texts = []
    for index, part in enumerate(_listed(content, where)):
        if kind_of(part) not in _TEXT_PARTS:
            raise untranslatable(f"{where}[{index}]", "use text here")
        texts.append(_text(part, f"{where}[{index}]"))
    return between.join(texts)


def _listed(content: Any, where: str) -> list[Any]:
    if not isinstance(content, list):
        raise Untranslatable(f"'{where}' must be text or a list of parts", param=where)
    return content


def _part(part: Any, where: str) -> dict[str, Any]:
    kind = kind_of(part)
    if kind in _TEXT_PARTS:
        return {"type": "text", "text": _text(part, where)}
    if kind == "input_image":
        return _image(part, where)
    if kind == "input_file":
        return _file(part, where)
    if kind == "input_audio":
        only(part, ("type", "input_audio"), where)
        return {"type": "input_audio", "input_audio": part.get("input_audio")}
    raise untranslatable(where, "use text, images, files with their data, or audio")


def _text(part: Mapping[str, Any], where: str) -> str:
    text = part.get("text")
    if not isinstance(text, str):
        raise Untranslatable(f"'{where}.text' must be text", param=f"{where}.text")
    return text


def _image(part: Mapping[str, Any], where: str) -> dict[str, Any]:
    only(part, ("type", "image_url", "detail", _CACHE), where)
    if not isinstance(part.get("image_url"), str):
        raise Untranslatable(f"'{where}.image_url' is required", param=f"{where}.image_url")
    image = {"url": part["image_url"]}
    detail = part.get("detail")
    if detail not in (None, "auto"):
        # Chat has no finer one.
        image["detail"] = "high" if detail == "original" else detail
    return {"type": "image_url", "image_url": image}


def _file(part: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name in ("file_id", "file_url"):
        if part.get(name) is not None:
            raise untranslatable(f"{where}.{name}", "send the file itself in 'file_data'")
    only(part, ("type", "file_data", "filename", "detail", _CACHE), where)
    names = ("filename", "file_data")
    return {
        "type": "file",
        "file": {name: part[name] for name in names if part.get(name) is not None},
    }

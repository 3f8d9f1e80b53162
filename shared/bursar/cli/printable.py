"""What others wrote, as a terminal may show it.

Names and messages come from whoever made a key or sent a request. A terminal would obey their
control characters: another title, another text in place of what is there, words in reverse.
"""

from __future__ import annotations

from typing import Final

# Controls, what is invisible or turns writing round, halves of characters, ends of lines.
_OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Scripts and emoji are joined by them.
_JOINERS: Final = "\u200c\u200d"


def printable(text: str, *, keeps: str = "") -> str:
    r"""The same, with each character that a terminal would obey written as in `\x1b`.

    Args:
        keeps: those that may stay, as ends of lines.
    """
    if text.isprintable():
        return text
    return "".join(
        _escaped(letter) if letter not in keeps and _is_obeyed(letter) else letter
        for letter in text
    )


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def _is_obeyed(letter: str) -> bool:
    from unicodedata import category  # noqa: PLC0415 (few texts need it)

    return letter not in _JOINERS and category(letter) in _OBEYED

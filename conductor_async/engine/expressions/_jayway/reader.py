"""Reads a path character by character."""

from __future__ import annotations

import re

from conductor_async.engine.expressions._jayway.steps import PathError

__all__ = ["CharacterReader", "unescape"]


class CharacterReader:
    """A text, and a position in it that advances."""

    __slots__ = ("position", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def trimmed(self) -> CharacterReader:
        """Returns a reader without blanks at the ends. Of a text of blanks, one stays."""
        return CharacterReader(self.text.strip(" ") or self.text[:1])

    @property
    def here(self) -> str:
        """The character at the position; empty at the end."""
        return self.at(self.position)

    @property
    def is_last(self) -> bool:
        """Whether nothing follows the character at the position."""
        return self.position >= len(self.text) - 1

    def at(self, position: int) -> str:
        """Returns the character at a position; empty beyond the end."""
        return self.text[position : position + 1]

    def skip_blanks(self) -> str:
        """Advances to the next character that is no blank, and returns it."""
        while self.here == " " and not self.is_last:
            self.position += 1
        return self.here

    def next_non_blank(self, position: int) -> str:
        """Returns the first character after a position that is no blank; empty if there is none."""
        return self.text[position + 1 :].lstrip(" ")[:1]

    def expect_next(self, position: int, character: str) -> int:
        """Returns where `character` is. Raises `PathError` if anything but blanks comes before it."""
        rest = self.text[position + 1 :]
        start = position + 1 + len(rest) - len(rest.lstrip(" "))
        if self.at(start) != character:
            raise PathError
        return start

    def closing_quote(self, opening: int) -> int:
        """Returns where the quote that opens there is closed. Raises `PathError` if it is not."""
        quote = self.at(opening)
        position = opening + 1
        while position < len(self.text):
            if self.text[position] == "\\":
                position += 1
            elif self.text[position] == quote:
                return position
            position += 1
        raise PathError

    def closing(
        self, opening: int, opens: str, closes: str, *, skip_quotes: bool = False, skip_patterns: bool = False
    ) -> int:
        """Returns where the bracket that opens there is closed. Raises `PathError` if it is not."""
        depth = 0
        position = opening
        while position < len(self.text):
            character = self.text[position]
            if (skip_quotes and character in "'\"") or (skip_patterns and character == "/"):
                position = self.closing_quote(position)
            elif character == opens:
                depth += 1
            elif character == closes:
                depth -= 1
                if depth == 0:
                    return position
            position += 1
        raise PathError


def unescape(text: str) -> str:
    r"""Returns the content of a quoted string, with `\n`, `\u0041` and the like replaced."""
    if "\\" not in text:
        return text
    try:
        return _ESCAPE.sub(_escaped, text)
    except ValueError:
        raise PathError from None


def _escaped(found: re.Match[str]) -> str:
    character = found[1]
    if character.startswith("u") and len(character) > 1:
        return chr(int(character[1:], 16))
    return _NAMED.get(character, character)


_ESCAPE = re.compile(r"\\(u.{4}|.)", re.DOTALL)
_NAMED = {"r": "\r", "f": "\f", "t": "\t", "n": "\n", "b": "\b"}

"""Reads JSON of any depth: servers accept what is nested a thousand levels, more than the fast parsers take."""

from __future__ import annotations

import json
import re
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_CLOSING: dict[type[Any], str] = {list: "]", dict: "}"}


def read_json(body: bytes) -> Any:
    """Returns the value of a JSON text. Bytes that are not UTF-8 become lone surrogates.

    Raises:
        ValueError: It is not JSON, or is truncated.
    """
    text = body.decode("utf-8-sig", errors="surrogateescape")
    try:
        return json.loads(text)
    except RecursionError:
        return _DeepReader(text).read()


class _DeepReader:
    """Reads one JSON text without recursion."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._open: list[list[Any] | dict[Any, Any]] = []  # the lists and dicts around the position
        self._keys: list[Any] = []  # the key in each of them; None in lists
        self._scalar = json.JSONDecoder().raw_decode

    def read(self) -> Any:
        self._skip_space()
        while True:
            value = self._begin_value()
            while value is not _OPENED:
                if not self._open:
                    self._skip_space()
                    if self._position < len(self._text):
                        self._fail("Extra data")
                    return value
                value = self._add(value)

    def _begin_value(self) -> Any:
        """Reads a scalar or an empty list or dict; opens any other."""
        opening = self._text[self._position : self._position + 1]
        if opening not in ("[", "{"):
            scalar, self._position = self._scalar(self._text, self._position)
            return scalar
        value: list[Any] | dict[Any, Any] = [] if opening == "[" else {}
        self._position += 1
        self._skip_space()
        if self._take(_CLOSING[type(value)]):
            return value
        self._open.append(value)
        self._keys.append(self._key() if opening == "{" else None)
        return _OPENED

    def _add(self, value: Any) -> Any:
        """Adds a value to the innermost list or dict, and returns that if it ends here."""
        container = self._open[-1]
        if isinstance(container, list):
            container.append(value)
        else:
            container[self._keys[-1]] = value
        self._skip_space()
        if self._take(","):
            self._skip_space()
            if isinstance(container, dict):
                self._keys[-1] = self._key()
            return _OPENED
        if not self._take(_CLOSING[type(container)]):
            self._fail("Expecting ',' delimiter")
        self._keys.pop()
        return self._open.pop()

    def _key(self) -> str:
        if self._text[self._position : self._position + 1] != '"':
            self._fail("Expecting property name enclosed in double quotes")
        key, self._position = self._scalar(self._text, self._position)
        self._skip_space()
        if not self._take(":"):
            self._fail("Expecting ':' delimiter")
        self._skip_space()
        return str(key)

    def _take(self, character: str) -> bool:
        if self._text[self._position : self._position + 1] != character:
            return False
        self._position += 1
        return True

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._position)
        assert match is not None  # it matches nothing at all too
        self._position = match.end()

    def _fail(self, problem: str) -> None:
        raise json.JSONDecodeError(problem, self._text, self._position)


_OPENED: Any = object()
"""Stands for a value that is not complete yet: the next one belongs into it."""

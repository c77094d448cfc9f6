"""Redaction: keeps secrets out of recordings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conductor_async.models import JsonValue

__all__ = ["Redaction"]

Redactor: TypeAlias = "Callable[[str, JsonValue], JsonValue]"
"""Takes the path of a value (`output.user.name`) and the value; returns the value to record."""

_SENSITIVE = r"password|passwd|passphrase|secret|token$|api[_-]?key|authorization|cookie|credential|private[_-]?key"
_MIN_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is removed from a recording's payloads: inputs, outputs, variables, reasons, input and output parameters.

    A text that is removed in one place is removed everywhere, within other texts too: a token that one task returns is
    also the next task's input, under another key.

    ```python
    Redaction(keys=["iban"], patterns=[r"[0-9]{16}"], functions=[lambda path, value: value])
    ```

    Attributes:
        keys: Regular expressions that match keys anywhere and in any case. The values of these keys are removed.
        patterns: Regular expressions. The parts of texts that match are removed.
        functions: Called with the path and the value of everything but objects and lists; each returns the value to
            record.
        replacement: The text that replaces what is removed.
        defaults: Whether to add the usual keys: passwords, tokens, API keys, cookies and the like.
    """

    keys: Sequence[str] = ()
    patterns: Sequence[str] = ()
    functions: Sequence[Redactor] = ()
    replacement: str = "[redacted]"
    defaults: bool = True

    def apply(self, payloads: JsonValue) -> JsonValue:
        """Returns the payloads without secrets. Pass all of them at once, so that a text is removed from each."""
        everywhere = sorted({text for text in self._secret_texts(payloads) if len(text) >= _MIN_LENGTH}, key=len)
        patterns = [*self.patterns, *(re.escape(text) for text in reversed(everywhere))]
        found = re.compile("|".join(f"(?:{each})" for each in patterns)) if patterns else None
        return self._redacted(payloads, "", found)

    def _is_secret(self, key: str) -> bool:
        keys = [*self.keys, *([_SENSITIVE] if self.defaults else [])]
        return any(re.search(each, key, re.IGNORECASE) for each in keys)

    def _secret_texts(self, value: JsonValue) -> Iterator[str]:
        """Yields the texts under secret keys, except references: `${…}` only says where a secret comes from."""
        for key, each in _entries(value):
            if isinstance(key, str) and self._is_secret(key):
                yield from (text for text in _texts(each) if "${" not in text)
            else:
                yield from self._secret_texts(each)

    def _redacted(self, value: JsonValue, path: str, found: re.Pattern[str] | None) -> JsonValue:
        if isinstance(value, dict):
            return {
                key: self._entry(key, each, f"{path}.{key}" if path else key, found) for key, each in _entries(value)
            }
        if isinstance(value, list):
            return [self._redacted(each, f"{path}[{index}]", found) for index, each in _entries(value)]
        for function in self.functions:
            value = function(path, value)
        if isinstance(value, str) and found is not None:
            value = found.sub(lambda _: self.replacement, value)
        return value

    def _entry(self, key: str, value: JsonValue, path: str, found: re.Pattern[str] | None) -> JsonValue:
        if self._is_secret(key) and not isinstance(value, dict | list) and "${" not in str(value):
            return None if value is None else self.replacement
        return self._redacted(value, path, found)


def _entries(value: JsonValue) -> Iterator[tuple[Any, JsonValue]]:
    if isinstance(value, dict):
        yield from value.items()  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType,reportUnknownArgumentType]
    elif isinstance(value, list):
        yield from enumerate(value)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for _, each in _entries(value):
        yield from _texts(each)

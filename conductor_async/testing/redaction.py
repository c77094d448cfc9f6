"""What does not go into a recording."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conductor_async.models import JsonValue

__all__ = ["Redaction"]

Redactor: TypeAlias = "Callable[[str, JsonValue], JsonValue]"
"""Given where a value is (`output.user.name`) and the value, gives what is to stand there instead."""

_SECRETIVE = r"password|passwd|passphrase|secret|token$|api[_-]?key|authorization|cookie|credential|private[_-]?key"
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is taken out of a recording's payloads: inputs, outputs, variables, reasons, what definitions give to tasks.

    A text that is taken out in one place is taken out wherever else it stands, within other texts too: a token that one
    task puts out is also the next one's input, by another name.

    ```python
    Redaction(keys=["iban"], patterns=[r"[0-9]{16}"], functions=[lambda path, value: value])
    ```

    Attributes:
        keys: Regular expressions for the keys of values that are taken out, found anywhere in the key, in any case.
            Added to those for passwords, tokens, keys, cookies and the like, unless `defaults` is False.
        patterns: Regular expressions for parts of texts that are taken out.
        functions: Called with the place and the value of everything that is no object or list; they give what is to
            stand there.
        replacement: What stands for what was taken out.
        defaults: Whether the usual keys count.
    """

    keys: Sequence[str] = ()
    patterns: Sequence[str] = ()
    functions: Sequence[Redactor] = ()
    replacement: str = "[redacted]"
    defaults: bool = True

    def apply(self, payloads: JsonValue) -> JsonValue:
        """The same, without what is to be taken out. All payloads have to be given at once: see above."""
        everywhere = sorted({text for text in self._texts_of_keys(payloads) if len(text) >= _SHORTEST}, key=len)
        patterns = [*self.patterns, *(re.escape(text) for text in reversed(everywhere))]
        found = re.compile("|".join(f"(?:{each})" for each in patterns)) if patterns else None
        return self._cleaned(payloads, "", found)

    def _secret(self, key: str) -> bool:
        keys = [*self.keys, *([_SECRETIVE] if self.defaults else [])]
        return any(re.search(each, key, re.IGNORECASE) for each in keys)

    def _texts_of_keys(self, value: JsonValue) -> Iterator[str]:
        """The texts below secret keys. A reference is no secret: it says where one comes from."""
        for key, each in _entries(value):
            if isinstance(key, str) and self._secret(key):
                yield from (text for text in _texts(each) if "${" not in text)
            else:
                yield from self._texts_of_keys(each)

    def _cleaned(self, value: JsonValue, path: str, found: re.Pattern[str] | None) -> JsonValue:
        if isinstance(value, dict):
            return {
                key: self._of_key(key, each, f"{path}.{key}" if path else key, found) for key, each in _entries(value)
            }
        if isinstance(value, list):
            return [self._cleaned(each, f"{path}[{index}]", found) for index, each in _entries(value)]
        for function in self.functions:
            value = function(path, value)
        if isinstance(value, str) and found is not None:
            value = found.sub(lambda _: self.replacement, value)
        return value

    def _of_key(self, key: str, value: JsonValue, path: str, found: re.Pattern[str] | None) -> JsonValue:
        if self._secret(key) and not isinstance(value, dict | list) and "${" not in str(value):
            return None if value is None else self.replacement
        return self._cleaned(value, path, found)


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

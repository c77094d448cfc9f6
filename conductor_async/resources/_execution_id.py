"""What the id of an execution looks like, to tell it from other text with status 200.

All id generators of the server make UUIDs. An installation may have one of its own, so other tokens are ids as well,
unless they surely are not: a truncated UUID, a word or a sentence of a proxy, markup.
"""

from __future__ import annotations

import re

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_OTHER_ID = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9_-]{16,128}")
_UUID_SHAPE = "00000000-0000-0000-0000-000000000000"
_HEX_DIGIT = re.compile(r"[0-9a-f]", re.IGNORECASE)
_LONGEST_EXCERPT = 60  # characters


def is_execution_id(text: str) -> bool:
    """Returns whether the text can be the whole id of an execution."""
    if _UUID.fullmatch(text):
        return True
    return _OTHER_ID.fullmatch(text) is not None and not _UUID.match(text) and not _is_truncated_uuid(text)


def excerpt(text: str) -> str:
    """Returns the beginning of a text, quoted and escaped, for an error."""
    return ascii(text if len(text) <= _LONGEST_EXCERPT else text[:_LONGEST_EXCERPT] + "…")


def sentence(text: object) -> str:
    """Returns a text with punctuation at its end, so that another sentence can follow."""
    text = str(text)
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _is_truncated_uuid(text: str) -> bool:
    return "-" in text and _UUID_SHAPE.startswith(_HEX_DIGIT.sub("0", text))

"""Texts from outside, made fit for error messages and logs."""

from __future__ import annotations

import re
from typing import Final

LONGEST_TEXT: Final = 1_000
"""The most characters of one text from a server in an error message or a log line."""

# Control characters could forge log lines or drive a terminal; those that change the direction of text disguise it.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def escaped(text: str, limit: int = LONGEST_TEXT) -> str:
    """Returns a text with its control characters escaped, cut off after `limit` characters."""
    return shortened(_UNPRINTABLE.sub(_escape, text[: limit + 1]), limit)


def shortened(text: str, limit: int = LONGEST_TEXT) -> str:
    """Returns a text, cut off after `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()

"""What a misspelled name was probably meant to be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns a sentence that suggests the nearest of the known names, to put behind another one; empty without one.

    Case and underscores do not count.
    """
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(_fold(each), each)
    near = difflib.get_close_matches(_fold(name), folded, n=1)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""


def _fold(name: str) -> str:
    return name.replace("_", "").lower()

"""Tell a waiting human on standard error how far a download is."""

from __future__ import annotations

import sys


class Progress:
    """A line that counts up on a terminal, and a line for every tenth elsewhere.

    Args:
        what: What is being fetched.
        total: Its size in bytes.
        done: How much of it was there already.
    """

    def __init__(self, what: str, total: int, done: int = 0) -> None:
        self._what = what
        self._total = max(total, 1)
        self._done = done
        self._live = sys.stderr is not None and sys.stderr.isatty()
        self._step = 1 if self._live else 10
        self._shown = -1
        self.advance(0)

    def advance(self, count: int) -> None:
        """Count so many bytes more."""
        self._done += count
        percent = min(100, self._done * 100 // self._total)
        step = percent // self._step
        if step != self._shown:
            self._shown = step
            self._show(f"{self._what}: {percent} % of {self._total / 1e6:.0f} MB")

    def close(self) -> None:
        """End the line."""
        if self._live:
            sys.stderr.write("\n")

    def _show(self, text: str) -> None:
        say(text, end="" if self._live else "\n", start="\r" if self._live else "")


def say(text: str, *, start: str = "", end: str = "\n") -> None:
    """Write a line for the human who waits. There may be nobody: a windowed program has no standard error."""
    if sys.stderr is not None:
        sys.stderr.write(f"{start}conductor-async: {text}{end}")
        sys.stderr.flush()

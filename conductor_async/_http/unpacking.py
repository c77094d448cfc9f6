"""Unpacking answers, never to more than is asked for. gzip is all that we say we accept."""

from __future__ import annotations

import zlib


class UnreadableError(Exception):
    """Why an answer cannot be read to its end: continues the sentence `the answer …`."""


class Unpacker:
    """Unpacks one answer, piece by piece.

    Args:
        packing: Its `Content-Encoding`.

    Raises:
        UnreadableError: It is packed in a way that was not asked for.
    """

    def __init__(self, packing: str) -> None:
        if packing.strip().lower() not in ("gzip", "x-gzip", "deflate"):
            raise UnreadableError(f"is packed as {packing!r}, which was not asked for")
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip, or what HTTP calls deflate
        self._packing = packing

    def __call__(self, piece: bytes, at_most: int) -> bytes:
        """The piece unpacked, as far as `at_most` bytes go.

        Raises:
            UnreadableError: It is not packed as it says.
        """
        try:
            return self._zlib.decompress(piece, at_most)
        except zlib.error as error:
            raise UnreadableError(f"is not packed as its Content-Encoding {self._packing!r} says") from error

    def finish(self) -> None:
        """All pieces have come.

        Raises:
            UnreadableError: The end is missing.
        """
        if not self._zlib.eof:
            raise UnreadableError(f"is cut off: its Content-Encoding is {self._packing!r}, and its end is missing")

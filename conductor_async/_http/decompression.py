"""Reading answers, and unpacking them, never to more than is asked for. gzip is all that we say we accept."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from conductor_async._http.transport.interface import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class UnreadableError(Exception):
    """Why an answer cannot be read to its end: continues the sentence `the answer …`.

    Attributes:
        status: The answer's HTTP status; 0 if it is not known.
    """

    status = 0


async def whole(
    status: int, headers: Mapping[str, str], pieces: AsyncIterator[bytes], packing: str, at_most: int
) -> Response:
    """Reads an answer to its end.

    Args:
        status: Its HTTP status.
        headers: Its headers.
        pieces: Its body, as it comes.
        packing: How the pieces are packed: a `Content-Encoding`, or nothing.
        at_most: Bytes that it may have, unpacked.

    Raises:
        UnreadableError: It has more, or is not packed as it says.
    """
    read: list[bytes] = []
    left = at_most
    try:
        unpack = Unpacker(packing) if packing else None
        async for piece in pieces:
            unpacked = unpack(piece, left + 1) if unpack else piece
            left -= len(unpacked)
            if left < 0:
                raise UnreadableError(f"has over {at_most} bytes (Configuration.max_response_size)")
            read.append(unpacked)
        if unpack:
            unpack.finish()
    except UnreadableError as error:
        error.status = status
        raise
    return Response(status, headers, read[0] if len(read) == 1 else b"".join(read))


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

"""Reading responses and decompressing their bodies, with limits on their size. We accept gzip only."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from conductor_async._text import escaped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_MAX_HEADERS = 64 * 1024  # Tomcat sends 8 KiB at most, and the parsers of the HTTP libraries stop at 100 KiB to 1 MiB


class UnreadableResponseError(Exception):
    """Why a response cannot be read to its end. The text continues the sentence `the response …`.

    Attributes:
        status: The response's HTTP status; 0 if unknown.
    """

    status = 0


async def read_body(chunks: AsyncIterator[bytes], content_encoding: str, *, max_size: int, status: int) -> bytes:
    """Returns a response's body, decompressed.

    Args:
        chunks: The body as it arrives.
        content_encoding: How the chunks are compressed; empty if they are not.
        max_size: The most bytes that the body may have, decompressed.
        status: The response's HTTP status, for the error.

    Raises:
        UnreadableResponseError: The body is too large, or not compressed as it says.
    """
    parts: list[bytes] = []
    left = max_size
    try:
        decompressor = Decompressor(content_encoding) if content_encoding else None
        async for chunk in chunks:
            part = decompressor.decompress(chunk, left + 1) if decompressor else chunk
            left -= len(part)
            if left < 0:
                raise UnreadableResponseError(f"is larger than {max_size} bytes (Configuration.max_response_size)")
            parts.append(part)
        if decompressor:
            decompressor.finish()
    except UnreadableResponseError as error:
        error.status = status
        raise
    return parts[0] if len(parts) == 1 else b"".join(parts)


def check_headers(headers: Mapping[str, str], *, status: int) -> None:
    """Checks the size of a response's headers.

    Raises:
        UnreadableResponseError: They are too large.
    """
    if sum(map(len, headers)) + sum(map(len, headers.values())) > _MAX_HEADERS:
        error = UnreadableResponseError(f"has headers that are larger than {_MAX_HEADERS} bytes")
        error.status = status
        raise error


class Decompressor:
    """Decompresses one response, chunk by chunk.

    Args:
        content_encoding: The response's `Content-Encoding`.

    Raises:
        UnreadableResponseError: We did not offer that encoding.
    """

    def __init__(self, content_encoding: str) -> None:
        if content_encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
            raise UnreadableResponseError(
                f"has the Content-Encoding {escaped(content_encoding, 100)!r}, which the request did not accept"
            )
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)  # detects gzip and zlib (HTTP's "deflate") by the header
        self._content_encoding = content_encoding

    def decompress(self, chunk: bytes, max_size: int) -> bytes:
        """Returns the chunk decompressed, cut off after `max_size` bytes.

        Raises:
            UnreadableResponseError: It is not compressed as the Content-Encoding says.
        """
        try:
            return self._zlib.decompress(chunk, max_size)
        except zlib.error as error:
            raise UnreadableResponseError(
                f"is not compressed as its Content-Encoding {self._content_encoding!r} says"
            ) from error

    def finish(self) -> None:
        """Checks that the compressed data was complete.

        Raises:
            UnreadableResponseError: Its end is missing.
        """
        if not self._zlib.eof:
            raise UnreadableResponseError(
                f"is truncated: the end of its body in Content-Encoding {self._content_encoding!r} is missing"
            )

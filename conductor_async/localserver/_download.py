"""Downloads a large file: resumes interrupted transfers, verifies the checksum, and shows progress."""

from __future__ import annotations

import logging
import sys
from hashlib import sha1
from typing import TYPE_CHECKING, NoReturn

from conductor_async._backoff import Backoff
from conductor_async.errors import LocalServerError
from conductor_async.localserver._cancellable import sleep

if TYPE_CHECKING:
    from pathlib import Path

    from conductor_async.localserver._cancellable import Checkpoint

_log = logging.getLogger(__name__)

_ATTEMPTS = 5
_BACKOFF = Backoff(2.0, limit=30.0)
_CHUNK = 1 << 18


def download(url: str, part: Path, digest: str, timeout: float, checkpoint: Checkpoint) -> None:
    """Downloads `url` to `part`, continuing what an earlier attempt, of any process, has left there.

    Raises:
        LocalServerError: Five attempts in a row got nothing, or the file does not match `digest`.
    """
    import requests

    name = url.rpartition("/")[2]
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _append(url, part, timeout, checkpoint)
        except (requests.RequestException, _TransferInterrupted) as error:
            # An attempt that got something is no failure: over a slow line, 458 MB may need many.
            failures = failures + 1 if part.exists() and part.stat().st_size <= before else 0
            if failures == _ATTEMPTS:
                raise LocalServerError(f"Downloading {name} failed {_ATTEMPTS} times in a row: {error}") from error
            _log.info("Downloading %s was interrupted and continues: %s", name, error)
            sleep(_BACKOFF.delay(failures) if failures else 0.0, checkpoint)
            continue
        found = sha1_of(part, checkpoint)
        if found == digest:
            return
        part.unlink()
        if not before:
            raise LocalServerError(f"{url} is broken: its SHA-1 is {found}, but {digest} was published.")
        _log.warning("The partial download of %s does not match its checksum: it starts again.", name)


def sha1_of(path: Path, checkpoint: Checkpoint) -> str:
    """Returns a file's SHA-1. Maven repositories always publish SHA-1; here it only detects broken files."""
    digest = sha1(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checkpoint()
            digest.update(chunk)
    return digest.hexdigest()


def show(text: str, *, start: str = "", end: str = "\n") -> None:
    """Writes a line to standard error, for whoever waits. A program without a console has no standard error."""
    if sys.stderr is not None:
        sys.stderr.write(f"{start}conductor-async: {text}{end}")
        sys.stderr.flush()


class _TransferInterrupted(Exception):  # noqa: N818 - it ends one attempt, not the download
    pass


def _append(url: str, part: Path, timeout: float, checkpoint: Checkpoint) -> None:
    """Makes one attempt to download what is missing in `part`."""
    from jgo.util import http

    start = part.stat().st_size if part.exists() else 0
    part.parent.mkdir(parents=True, exist_ok=True)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with http.get(url, stream=True, timeout=timeout, headers=headers) as response:
        if response.status_code == 416:  # nothing comes after what we have: the checksum decides
            return
        if response.status_code == 200:
            start = 0
        elif response.status_code != 206 or not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            _refuse(url, response.status_code)
        length = int(response.headers.get("Content-Length", 0))
        progress = _Progress(f"downloading {url.rpartition('/')[2]}", start + length, start)
        written = 0
        try:
            with part.open("r+b" if start else "wb") as file:
                file.seek(start)
                for chunk in response.iter_content(_CHUNK):
                    checkpoint()
                    file.write(chunk)
                    written += len(chunk)
                    progress.advance(len(chunk))
        finally:
            progress.close()
        if written < length:
            raise _TransferInterrupted(f"{written} of {length} bytes arrived")


def _refuse(url: str, status: int) -> NoReturn:
    if status >= 500 or status == 429:
        raise _TransferInterrupted(f"HTTP {status}")
    raise LocalServerError(f"{url} cannot be downloaded: HTTP {status}.")


class _Progress:
    """A line that counts up on a terminal, and a new line for every tenth elsewhere.

    Args:
        what: What is downloaded.
        total: Its size in bytes.
        done: How many of the bytes are there already.
    """

    def __init__(self, what: str, total: int, done: int) -> None:
        self._what = what
        self._total = max(total, 1)
        self._done = done
        self._live = sys.stderr is not None and sys.stderr.isatty()
        self._step = 1 if self._live else 10
        self._shown = -1
        self.advance(0)

    def advance(self, count: int) -> None:
        """Counts so many bytes more."""
        self._done += count
        percent = min(100, self._done * 100 // self._total)
        step = percent // self._step
        if step != self._shown:
            self._shown = step
            text = f"{self._what}: {percent} % of {self._total / 1e6:.0f} MB"
            show(text, end="" if self._live else "\n", start="\r" if self._live else "")

    def close(self) -> None:
        """Ends the line."""
        if self._live:
            sys.stderr.write("\n")

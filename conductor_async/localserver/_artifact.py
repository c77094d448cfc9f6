"""Gets the server's jar from a Maven repository into the Maven cache, and unpacks it once for each version.

Nothing is used unverified.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from conductor_async.errors import ConfigurationError, LocalServerError
from conductor_async.localserver._cancellable import locked, run_program
from conductor_async.localserver._download import download, sha1_of, show
from conductor_async.localserver._extra import cache_folder, locate_jar

if TYPE_CHECKING:
    from conductor_async.localserver._cancellable import Checkpoint
    from conductor_async.localserver._extra import ServerJar

_log = logging.getLogger(__name__)


def install(version: str, java: Path, checkpoint: Checkpoint) -> Path:
    """Returns the jar to start, unpacked in the cache folder.

    Args:
        version: The server's version: `3.32.3`.
        java: The Java that unpacks it.
        checkpoint: Called often. What it raises ends the work; the next call continues a download.

    Raises:
        ConfigurationError: The extra `[server]` is not installed, or `version` is not a version.
        LocalServerError: The jar cannot be downloaded, does not match its checksum, or cannot be unpacked.
    """
    if not re.fullmatch(r"\w[\w.+-]*", version):
        raise ConfigurationError(f"{version!r} is not a version of the Conductor server: give one such as '3.32.3'.")
    folder = cache_folder() / f"server-{version}"
    app = folder / "app"
    jar = app / f"conductor-server-{version}-boot.jar"
    if not jar.is_file():  # the folder gets its name only when it is complete
        with locked(folder / ".lock", checkpoint):
            if not jar.is_file():
                _unpack(fetch(version, checkpoint), java, app, checkpoint)
    if not jar.is_file():
        raise LocalServerError(f"Unpacking the Conductor server {version} did not give {jar}. Delete {folder}.")
    return jar


def _unpack(jar: Path, java: Path, app: Path, checkpoint: Checkpoint) -> None:
    for unfinished in app.parent.glob("unpacking-*"):  # left by a process that was killed: we hold the lock
        shutil.rmtree(unfinished, ignore_errors=True)
    show(f"unpacking {jar.name}")
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=app.parent) as temporary:
        unpacked = Path(temporary) / "app"
        run_program([java, "-Djarmode=tools", "-jar", jar, "extract", "--destination", unpacked], checkpoint)
        shutil.rmtree(app, ignore_errors=True)
        unpacked.rename(app)


def fetch(version: str, checkpoint: Checkpoint) -> Path:
    """Returns the server's jar in the Maven cache: verified, and downloaded if it is missing or broken.

    jgo tells where the cache and the repositories are. The download is our own, because jgo's writes into the cache
    directly and only warns of a wrong checksum.
    """
    located = locate_jar(version)
    jar = located.cached
    with locked(jar.with_name(f".{jar.name}.lock"), checkpoint):
        digest_file = jar.with_name(f"{jar.name}.sha1")
        if jar.is_file() and digest_file.is_file() and sha1_of(jar, checkpoint) == _first_word(digest_file.read_text()):
            return jar
        url, digest = _published(located)
        if not jar.is_file() or sha1_of(jar, checkpoint) != digest:
            if jar.is_file():
                _log.warning("%s does not match its published checksum: it is downloaded again.", jar)
            part = jar.with_name(f"{jar.name}.part")
            download(url, part, digest, located.timeout, checkpoint)
            part.replace(jar)
        digest_file.write_text(digest)  # a torn write matches nothing, and is repaired by the next call
    return jar


def _published(located: ServerJar) -> tuple[str, str]:
    """Returns the jar's URL and SHA-1 in the first repository that has both."""
    import requests
    from jgo.util import http

    failures: list[str] = []
    for url in located.urls:
        try:
            response = http.get(f"{url}.sha1", timeout=located.timeout)
        except requests.RequestException as error:
            failures.append(f"{url}.sha1: {error}")
            continue
        digest = _first_word(response.text)
        if response.status_code == 200 and re.fullmatch("[0-9a-f]{40}", digest):
            return url, digest
        failures.append(f"{url}.sha1: HTTP {response.status_code}")
    raise LocalServerError(
        f"No checksum of {located.cached.name} was found, so the jar cannot be verified. Check the version and the "
        f"connection. Without a connection, put the jar and its .sha1 into {located.cached.parent}. Tried:\n"
        + "\n".join(failures)
    )


def _first_word(text: str) -> str:
    """Returns the digest that a checksum file holds; some have the file's name after it."""
    return (text.split() or [""])[0].lower()


def unused_name(path: Path) -> Path:
    """Returns a name beside `path` that no other process uses."""
    return path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns()}")

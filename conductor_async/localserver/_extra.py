"""What the packages of the extra `[server]` do here: cache folder, file locks, the server's place in Maven.

They are imported when they are needed, so that `LocalServer` can be imported and configured without the extra.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator

    from filelock import BaseFileLock


class ServerJar(NamedTuple):
    """The server's jar in the Maven cache and in Maven repositories.

    Attributes:
        cached: Where the jar is in the local Maven cache, or will be.
        urls: The jar's URL in each configured repository, in the order in which they are tried.
        timeout: Seconds that a repository may take to answer.
    """

    cached: Path
    urls: list[str]
    timeout: float


def cache_folder() -> Path:
    """Returns the folder for unpacked servers: `CONDUCTOR_ASYNC_CACHE`, or one in the platform's cache folder."""
    if named := os.environ.get("CONDUCTOR_ASYNC_CACHE"):
        return Path(named).expanduser().absolute()
    with _importing():
        from platformdirs import user_cache_path
    return user_cache_path("conductor-async", appauthor=False, opinion=False).absolute()


def file_lock(path: Path) -> BaseFileLock:
    """Returns the lock between processes that the file `path` stands for. Any thread may release it.

    The operating system frees it when its holder dies, so that no lock is ever stale.
    """
    with _importing():
        from filelock import FileLock
    return FileLock(path, thread_local=False)


def locate_jar(version: str) -> ServerJar:
    """Returns where a version of the server's jar is: `M2_REPO` or `~/.m2/repository`, and jgo's repositories."""
    with _importing():
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    settings = GlobalSettings.load()
    context = MavenContext(repo_cache=settings.repo_cache)
    artifact = context.project("org.conductoross", "conductor-server").at_version(version).artifact("boot", "jar")
    path = f"{artifact.component.path_prefix.as_posix()}/{artifact.filename}"
    repositories = {**context.remote_repos, **settings.repositories}
    return ServerJar(
        Path(artifact.cached_path or ""),
        [f"{url.rstrip('/')}/{path}" for url in repositories.values()],
        context.timeout,
    )


@contextmanager
def _importing() -> Generator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(
            "Running a Conductor server needs the extra [server]: pip install 'conductor-async[server]'."
        ) from error

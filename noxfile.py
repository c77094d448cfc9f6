"""All that is done to this project, by name: `nox -s quickstart`, `nox -s tests`, `nox -s lint types` …"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["tests", "lint", "types"]

PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str, extras: str = "cli,embedded,otel,prometheus,server") -> None:
    """The package as users get it (a wheel, never editable), and what the groups name."""
    wanted = nox.project.dependency_groups(PROJECT, *groups) if groups else ()
    session.install(f".[{extras}]", *wanted)


@nox.session
def quickstart(session: nox.Session) -> None:
    """The main job, from nothing: a Conductor, a workflow, its workers, the result. `-- --server local`: a real one."""
    install(session, extras="server" if session.posargs else "embedded")
    session.run("python", "examples/quickstart.py", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Unit tests and the whole front-door suite on a real Conductor server.

    What fails is run once more, and listed as RERUN if it passes then: the server has races, and machines are shared.
    """
    install(session, "tests")
    session.run("pytest", "--reruns=1", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """500 generated workflows on the embedded engine and on a real server, compared task for task.

    `-- 2000 --hypothesis-seed=1`: 2000 of them, always the same.
    """
    install(session, "tests")
    examples, *options = session.posargs or ["500"]
    session.run("pytest", "tests/fuzz", *options, env={"CONDUCTOR_FUZZ_EXAMPLES": examples})


@nox.session
def lint(session: nox.Session) -> None:
    """Format, lint, layers, changelog."""
    install(session, "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports")
    session.run("towncrier", "build", "--draft", "--version", "next", silent=True)


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict and pyright, on the package and on what its users write."""
    install(session, "tests", "types")
    session.run("mypy")
    session.run("mypy", "tests/typing")
    session.run("pyright", "--pythonpath", shutil.which("python", path=session.bin) or "python")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Ratios against raw aiohttp, plain httpx and conductor-python, from interleaved runs."""
    install(session)
    peers = {}
    for version in ("2.0.0", "1.2.0"):
        folder = Path(session.create_tmp(), f"peer-{version}").absolute()
        if not folder.exists():
            session.run("python", "-m", "venv", str(folder))
        python = next(path for path in (folder / "bin/python", folder / "Scripts/python.exe") if path.exists())
        session.run(str(python), "-m", "pip", "install", "-q", f"conductor-python=={version}", "aiohttp", external=True)
        peers[version[0]] = str(python)
    for script in ("calls.py", "models.py", "imports.py", "building.py", "waiting.py", "embedded.py", "workers.py"):
        options = ["--peer-2-python", peers["2"], "--peer-1-python", peers["1"], *session.posargs]
        session.run("python", f"benchmarks/{script}", *options)


@nox.session
def soak(session: nox.Session) -> None:
    """Half an hour of mixed faults on a real server, and what became of everything. `-- --minutes 5` is shorter."""
    install(session, "tests")
    session.run("python", "-m", "tests.faults.soak", *session.posargs)


@nox.session
def clean(session: nox.Session) -> None:
    """Removes what the other sessions leave behind."""
    for name in ("build", "dist", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"):
        shutil.rmtree(name, ignore_errors=True)

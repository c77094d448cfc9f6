"""All that is done to this project, by name: `nox -s quickstart`, `nox -s tests`, `nox -s lint types` …"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["tests", "lint", "types"]

PROJECT = nox.project.load_toml("pyproject.toml")
EXTRAS = "cli,embedded,otel,prometheus,server"


def install(session: nox.Session, *groups: str, extras: str = EXTRAS) -> None:
    """The package as users get it (a wheel, never editable), and what the groups name."""
    wanted = nox.project.dependency_groups(PROJECT, *groups) if groups else ()
    session.install(f".[{extras}]", *wanted)


@nox.session
def quickstart(session: nox.Session) -> None:
    """The main job, from nothing: a Conductor, a workflow, its workers, the result. `-- --server local`: a real one."""
    install(session, extras="server" if session.posargs else "embedded")
    session.run("python", "examples/quickstart.py", *session.posargs)


def pytest(session: nox.Session, *options: str) -> None:
    """Runs pytest in four processes: most tests wait more than they compute."""
    session.run("pytest", "--numprocesses=4", "--dist=worksteal", *options, *session.posargs)


@nox.session
def unit(session: nox.Session) -> None:
    """All tests on the embedded engine: no Java, no network."""
    install(session, "tests")
    pytest(session)


@nox.session
def coverage(session: nox.Session) -> None:
    """The unit tests again, with the share of lines and branches of the package that they run."""
    install(session, "tests")
    # Started by coverage itself: pytest loads our plugin, and with it much of the package, before its own plugins.
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "--numprocesses=4", "--dist=worksteal", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--skip-covered")


def unit_on(session: nox.Session) -> None:
    """The unit tests on another Python."""
    install(session, "tests")
    pytest(session)


for _version in ("3.11", "3.12", "3.13"):
    nox.session(unit_on, python=_version, name=f"unit-{_version}")


@nox.session(name="unit-lowest", python="3.11")
def unit_lowest(session: nox.Session) -> None:
    """The unit tests with the lowest version that pyproject.toml allows of each dependency."""
    constraints = Path(session.create_tmp(), "lowest.txt")
    constraints.write_text("\n".join(lowest(PROJECT["project"])))
    wanted = nox.project.dependency_groups(PROJECT, "tests")
    session.install(f".[{EXTRAS}]", *wanted, "--constraint", str(constraints))
    pytest(session)


def lowest(project: dict) -> list[str]:
    """Pins each dependency of the package and its extras to its lower bound: `httpx>=0.28,<1` to `httpx==0.28`."""
    extras = (each for name in EXTRAS.split(",") for each in project["optional-dependencies"][name])
    bounds = re.compile(r"([\w.-]+)>=([\w.]+)")
    return [f"{found[1]}=={found[2]}" for each in (*project["dependencies"], *extras) if (found := bounds.match(each))]


@nox.session
def tests(session: nox.Session) -> None:
    """The unit tests, then the whole front-door suite on a real Conductor server, started once."""
    install(session, "tests")
    pytest(session)
    pytest(session, "--backend=server")


@nox.session(name="tests-3.32.1")
def tests_on_the_server_before(session: nox.Session) -> None:
    """The comparisons with the embedded engine on Conductor 3.32.1, which many still run."""
    install(session, "tests")
    session.env["CONDUCTOR_TEST_SERVER_VERSION"] = "3.32.1"
    pytest(session, "--thorough", "--backend=server", "tests/contract")


@nox.session
def thorough(session: nox.Session) -> None:
    """The long tests: fuzzing, faults at length, starts and stops of real servers, a short soak."""
    install(session, "tests")
    pytest(session, "--thorough")
    session.run("pytest", "--thorough", "--backend=server", *session.posargs)
    session.run("python", "-m", "tests.faults.soak", "--minutes", "3")


@nox.session
def fuzz(session: nox.Session) -> None:
    """500 generated workflows on the embedded engine and on a real server, compared task for task.

    `-- 2000 --hypothesis-seed=1`: 2000 of them, always the same.
    """
    install(session, "tests")
    examples, *options = session.posargs or ["500"]
    session.run(
        "pytest", "--thorough", "--backend=server", "tests/fuzz", *options, env={"CONDUCTOR_FUZZ_EXAMPLES": examples}
    )


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
    """mypy --strict and pyright, on the package, the examples and on what users write."""
    install(session, "tests", "types")
    session.run("mypy")
    session.run("mypy", "examples", "tests/typing")
    session.run("pyright", "--pythonpath", shutil.which("python", path=session.bin) or "python")


@nox.session
def api(session: nox.Session) -> None:
    """What changed in the public API since the last commit, and the share of it that type checkers understand: all."""
    install(session, "types")
    session.run("griffe", "check", "conductor_async", "--against", "HEAD~1", success_codes=[0, 1])
    # With --verifytypes, pyright ignores --pythonpath and looks for the `python` on the PATH, which is the session's.
    session.run("pyright", "--verifytypes", "conductor_async", "--ignoreexternal")  # 1 if it is below 100 %


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
    scripts = ("calls", "models", "imports", "building", "starting", "waiting", "embedded", "workers")
    for script in scripts:
        options = ["--peer-2-python", peers["2"], "--peer-1-python", peers["1"], *session.posargs]
        session.run("python", f"benchmarks/{script}.py", *options)


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

"""Finding workers in packages and modules."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from conductor_async import ConfigurationError, worker_task
from conductor_async.worker import discover

if TYPE_CHECKING:
    import types
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Package = Callable[[dict[str, str]], str]

WORKER = "from conductor_async import worker_task\n@worker_task()\ndef {name}(): ...\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Writes a package `shop` of these files. It can be imported, and is forgotten after the test."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(files: dict[str, str]) -> str:
        for name, text in {"__init__.py": "", **files}.items():
            path = tmp_path / "shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return "shop"

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def names(package: str | types.ModuleType) -> list[str]:
    return [worker.task_definition_name for worker in discover(package)]


def test_finds_workers_in_all_modules_of_a_package(package: Package) -> None:
    package(
        {
            "__init__.py": WORKER.format(name="top"),
            "b.py": WORKER.format(name="second"),
            "a/__init__.py": "",
            "a/deep.py": WORKER.format(name="first"),
            "__main__.py": "raise AssertionError('this would run the program')",
        }
    )
    assert names("shop") == ["top", "first", "second"]
    assert names("shop.a") == ["first"]
    assert names(sys.modules["shop.b"]) == ["second"]


def test_finds_workers_in_namespace_packages(package: Package) -> None:
    package({"plain/a.py": WORKER.format(name="in_it"), "data/x.txt": "", "not-a-name/a.py": "1 / 0"})
    assert names("shop") == ["in_it"]


def test_finds_a_worker_with_several_names_once(package: Package) -> None:
    package({"a.py": WORKER.format(name="pack") + "again = pack\n", "b.py": "from shop.a import pack\n"})
    assert names("shop") == ["pack"]


def test_finds_no_worker_of_another_package(package: Package) -> None:
    package({"a.py": WORKER.format(name="pack")})

    @worker_task()
    def elsewhere() -> None: ...

    assert names("shop") == ["pack"]


@pytest.mark.parametrize(
    ("name", "files", "message"),
    [
        ("shop.nothing", {}, "there is no module 'shop.nothing'"),
        ("nothing.at_all", {}, "there is no module 'nothing'"),
        ("shop", {}, "the package 'shop' has no worker: decorate"),
        ("shop.a", {"a.py": ""}, "the module 'shop.a' has no worker"),
        ("shop", {"a.py": "import not_installed_anywhere"}, "'shop.a' cannot be imported: No module named 'not_inst"),
        ("shop", {"a.py": "1 / 0"}, "'shop.a' cannot be imported: ZeroDivisionError"),
        ("shop", {"a.py": "raise SystemExit('usage')"}, "'shop.a' cannot be imported: SystemExit: usage"),
        ("shop", {"a.py": "def"}, "'shop.a' cannot be imported: SyntaxError"),
    ],
)
def test_errors_say_why_nothing_was_found(package: Package, name: str, files: dict[str, str], message: str) -> None:
    package(files)
    with pytest.raises(ConfigurationError, match=message):
        discover(name)


def test_an_argument_that_is_no_module_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="a package, a module or its name, not 7"):
        discover(7)  # type: ignore[arg-type]

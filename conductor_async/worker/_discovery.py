"""Finds the workers of a package: `WorkerHost(conductor, discover("shop.workers"))`."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from conductor_async.errors import ConfigurationError
from conductor_async.worker.decorator import WorkerTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conductor_async.worker.decorator import AnyWorker


def discover(package: str | ModuleType) -> list[AnyWorker]:
    """Returns the workers in a module or, after importing all its modules, in a package.

    A worker is found if it is a global variable of a module; with several names, it is found once. The order is that of
    the modules' names, then that of the definitions in each module.

    Args:
        package: A package or module, or its name: `"shop.workers"`.

    Raises:
        ConfigurationError: There is no such module, a module cannot be imported, or none has a worker.
    """
    root = import_module(package) if isinstance(package, str) else package
    if not isinstance(root, ModuleType):
        raise ConfigurationError(f"discover() takes a package, a module or its name, not {package!r}")
    found = {id(worker): worker for module in _modules(root) for worker in _workers_of(module)}
    if not found:
        kind = "package" if hasattr(root, "__path__") else "module"
        raise ConfigurationError(
            f'the {kind} {root.__name__!r} has no worker: decorate a function in it with @worker_task("its_task_type")'
        )
    return list(found.values())


def import_module(name: str) -> ModuleType:
    """Returns the module of this name.

    Raises:
        ConfigurationError: There is none, or it cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise ConfigurationError(
                f"there is no module {error.name!r}: is its directory on the path (PYTHONPATH), and its distribution"
                " installed?"
            ) from error
        raise ConfigurationError(f"the module {name!r} cannot be imported: {error}") from error
    except (Exception, SystemExit) as error:  # importing a module runs user code
        raise ConfigurationError(f"the module {name!r} cannot be imported: {type(error).__name__}: {error}") from error


def _modules(root: ModuleType) -> Iterator[ModuleType]:
    yield root
    path = list(getattr(root, "__path__", ()))
    names = {each.name for each in pkgutil.iter_modules(path)} | set(_namespace_packages(path))
    for name in sorted(names - {"__main__"}):  # importing __main__ would run the program
        yield from _modules(import_module(f"{root.__name__}.{name}"))


def _namespace_packages(path: Iterable[str]) -> Iterator[str]:
    """Yields the directories with modules but without `__init__.py`: `pkgutil` does not list them."""
    for each in path:
        for module in Path(each).glob("*/*.py"):
            if module.parent.name.isidentifier():
                yield module.parent.name


def _workers_of(module: ModuleType) -> Iterator[AnyWorker]:
    return (cast("AnyWorker", value) for value in list(vars(module).values()) if isinstance(value, WorkerTask))

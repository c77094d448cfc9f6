"""Finding workers where they are written: `WorkerHost(conductor, discover("shop.workers"))`."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from conductor_async.errors import ConfigurationError
from conductor_async.worker.decorator import WorkerTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conductor_async.worker.decorator import AnyWorker


def discover(package: str | ModuleType) -> list[AnyWorker]:
    """The workers in a module; of a package, those in all its modules too, which are imported.

    Every object made by `@worker_task` counts that is a module's global, once, however many names it has. They come in
    the order of the modules' names, then as they stand there.

    Args:
        package: A package or module, or its name: `"shop.workers"`.

    Raises:
        ConfigurationError: There is no such module, or one cannot be imported, or there is no worker in any of them.
    """
    root = imported(package) if isinstance(package, str) else package
    if not isinstance(root, ModuleType):
        raise ConfigurationError(f"discover takes a package, a module or its name, not {package!r}")
    found = {id(worker): worker for module in _modules(root) for worker in _workers_of(module)}
    if not found:
        where = "the package" if hasattr(root, "__path__") else "the module"
        raise ConfigurationError(
            f'{where} {root.__name__!r} has no worker: decorate a function in it with @worker_task("its_task_type")'
        )
    return list(found.values())


def _modules(root: ModuleType) -> Iterator[ModuleType]:
    yield root
    path = list(getattr(root, "__path__", ()))
    names = {each.name for each in pkgutil.iter_modules(path)} | set(_folders(path))
    for name in sorted(names - {"__main__"}):  # that one is what `python -m` runs: importing it would do so
        yield from _modules(imported(f"{root.__name__}.{name}"))


def _folders(path: Iterable[str]) -> Iterator[str]:
    """Folders of modules that have no `__init__.py`. Python imports from them; `pkgutil` does not name them."""
    for each in path:
        for modules in Path(each).glob("*/*.py"):
            if modules.parent.name.isidentifier():
                yield modules.parent.name


def _workers_of(module: ModuleType) -> Iterator[AnyWorker]:
    for value in list(vars(module).values()):
        if isinstance(value, WorkerTask):
            yield value


def imported(name: str) -> ModuleType:
    """The module of this name.

    Raises:
        ConfigurationError: There is none, or it cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise ConfigurationError(
                f"there is no module {error.name!r} to find workers in: is its folder on the path (PYTHONPATH), and"
                " its distribution installed?"
            ) from error
        raise ConfigurationError(f"the module {name!r} cannot be imported: {error}") from error
    except (Exception, SystemExit) as error:  # whatever the module does when it is imported is user code
        raise ConfigurationError(f"the module {name!r} cannot be imported: {type(error).__name__}: {error}") from error

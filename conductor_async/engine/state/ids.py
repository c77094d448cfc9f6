"""Ids: random or seeded ones, and those of sub-workflows, which are derived from their parent's."""

from __future__ import annotations

import hashlib
import random
import uuid

__all__ = ["Ids"]


class Ids:
    """Makes ids and jitter. With a seed they are the same in each run.

    Attributes:
        random: The random generator, for jitter.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.random: random.Random = random.Random(seed)  # noqa: S311 - nothing here is a secret
        self._seeded = seed is not None

    def new(self) -> str:
        """Returns a new id, in the form of a UUID of version 4."""
        if self._seeded:
            return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        return str(uuid.uuid4())

    @staticmethod
    def of_child(parent_workflow_id: str, parent_task_id: str, retry_count: int) -> str:
        """Returns the id of the sub-workflow that an attempt of a task starts, computed as the server does."""
        source = f"subworkflow:{parent_workflow_id}:{parent_task_id}:{retry_count}"
        digest = hashlib.md5(source.encode(), usedforsecurity=False).digest()
        return str(uuid.UUID(bytes=digest, version=3))

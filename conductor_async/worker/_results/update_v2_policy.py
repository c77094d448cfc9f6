"""Whether a result is delivered by update-v2, which also brings a next task, or by `POST /tasks`, which does not."""

from __future__ import annotations


class UpdateV2Policy:
    """Whether to deliver by update-v2, which also brings a next task if there is one: for one task type.

    Where there is one, that saves a poll. Where there is none, the server looks for one for a tenth of a second, and
    the slot waits with it. So it is used while it brings tasks; when it does not any more, every tenth delivery tries.
    """

    __slots__ = ("_since_probe", "rate")

    _WEIGHT = 0.2
    _WORTH_IT = 0.2
    _PROBE_EVERY = 10

    def __init__(self) -> None:
        self.rate = 0.5
        self._since_probe = 0

    def wants_v2(self) -> bool:
        """Whether the next delivery should ask for a task."""
        if self.rate >= self._WORTH_IT:
            return True
        self._since_probe += 1
        if self._since_probe < self._PROBE_EVERY:
            return False
        self._since_probe = 0
        return True

    def brought(self, task: bool) -> None:
        """Whether update-v2 brought one."""
        self.rate += self._WEIGHT * (task - self.rate)

    def backlog(self) -> None:
        """A poll filled all slots, so there is probably more."""
        self.rate = max(self.rate, 0.5)

"""Whether to send a result by update-v2, whose response brings a next task, or by `POST /tasks`, which brings none."""

from __future__ import annotations


class UpdateV2Policy:
    """Decides for one task type how to send the next result.

    If a task is waiting, update-v2 saves a poll. If none is, the server looks for one for a tenth of a second, and the
    slot waits with it. So update-v2 is used while it brings tasks. When it no longer does, every tenth result tries it.

    Attributes:
        rate: How often update-v2 brought a task lately, from 0.0 to 1.0.
    """

    __slots__ = ("_since_probe", "rate")

    _WEIGHT = 0.2
    _THRESHOLD = 0.2
    _PROBE_EVERY = 10

    def __init__(self) -> None:
        self.rate = 0.5
        self._since_probe = 0

    def use_v2(self) -> bool:
        """Returns whether the next result should go by update-v2."""
        if self.rate >= self._THRESHOLD:
            return True
        self._since_probe += 1
        if self._since_probe < self._PROBE_EVERY:
            return False
        self._since_probe = 0
        return True

    def record(self, *, brought_task: bool) -> None:
        """Records whether update-v2 brought a task."""
        self.rate += self._WEIGHT * (brought_task - self.rate)

    def record_backlog(self) -> None:
        """Records that a poll filled all slots: more tasks are probably waiting."""
        self.rate = max(self.rate, 0.5)

"""Workers that other processes import."""

from __future__ import annotations

from conductor_async import worker_task


@worker_task("square")
def square(n: int) -> int:
    return n * n


class Adder:
    def __init__(self, amount: int) -> None:
        self.amount = amount

    @worker_task("add")
    def add(self, n: int) -> int:
        return n + self.amount

    @staticmethod
    @worker_task("twice")
    def twice(n: int) -> int:
        return 2 * n


def plain(n: int) -> int:
    return n + 1


renamed = worker_task("renamed")(plain)

from __future__ import annotations

import time

import anyio
import pytest

from conductor_async.devserver import VirtualClock

pytestmark = pytest.mark.anyio

START = 1_800_000_000.0


def test_manual_time_stands_still_and_never_moves_back() -> None:
    clock = VirtualClock("manual", START)
    assert clock.now() == START
    clock.move_to(START + 60)
    clock.move_to(START)
    assert clock.now() == START + 60


@pytest.mark.parametrize("kind", ["real", "skipping"])
def test_real_and_skipping_time_pass_and_can_be_moved_forward(kind: str) -> None:
    clock = VirtualClock(kind)
    assert abs(clock.now() - time.time()) < 5
    clock.move_to(clock.now() + 1000)
    later = clock.now()
    assert later - time.time() > 990
    assert clock.now() >= later


async def test_sleepers_wake_when_they_are_due_and_in_order() -> None:
    clock, woken = VirtualClock("manual", START), list[str]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with anyio.create_task_group() as group:
        for name, seconds in (("day", 86400), ("hour", 3600), ("now", 0)):
            group.start_soon(sleeper, name, seconds)
        await anyio.wait_all_tasks_blocked()
        assert woken == ["now"]
        for step in (3599, 1, 90000):
            clock.move_to(clock.now() + step)
            await anyio.wait_all_tasks_blocked()
    assert woken == ["now", "hour", "day"]


async def test_a_cancelled_sleeper_is_no_longer_due() -> None:
    clock = VirtualClock("manual", START)
    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, 10)
        await anyio.wait_all_tasks_blocked()
        assert clock.next_due() == START + 10
        group.cancel_scope.cancel()
    assert clock.next_due() is None


async def test_a_wait_ends_with_its_event() -> None:
    clock, event = VirtualClock("manual", START), anyio.Event()
    event.set()
    with anyio.fail_after(5):
        await clock.wait(event, 10)
        await clock.wait(event, float("inf"))
    assert clock.now() == START


async def test_sleeping_hosts_are_told_apart_from_waiting_requests() -> None:
    clock = VirtualClock("skipping", START)
    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, 10)
        await anyio.wait_all_tasks_blocked()
        assert clock.next_due(in_request=True) is None
        group.start_soon(clock.wait, anyio.Event(), 20)
        await anyio.wait_all_tasks_blocked()
        assert clock.next_due(in_request=True) == pytest.approx(START + 20, abs=5)
        group.cancel_scope.cancel()


async def test_pollers_that_neither_poll_nor_sleep_are_pending_work() -> None:
    clock = VirtualClock("skipping")
    assert clock.pending_work == 0
    with clock.attach("greet"), clock.attach("charge", "eu"):
        assert set(clock.attached) == {("greet", None), ("charge", "eu")}
        assert clock.pending_work == 2
        with clock.polling("greet"), clock.polling("charge", "eu"):
            assert clock.pending_work == 0
            with clock.working("greet"):
                assert clock.pending_work == 1
    assert clock.pending_work == 0
    assert not clock.attached

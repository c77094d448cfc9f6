"""Update-v2 is used while it brings tasks, and tried now and then when it does not."""

from __future__ import annotations

from conductor_async.worker._results.update_v2_policy import UpdateV2Policy


def test_update_v2_is_used_while_it_brings_tasks():
    policy = UpdateV2Policy()
    for _ in range(50):
        assert policy.use_v2()
        policy.record(brought_task=True)
    policy.record(brought_task=False)
    assert policy.use_v2()


def deliveries(policy: UpdateV2Policy, count: int) -> str:
    """Each delivery as 2 or 1, when there is never a next task."""
    taken = ""
    for _ in range(count):
        v2 = policy.use_v2()
        taken += "2" if v2 else "1"
        if v2:
            policy.record(brought_task=False)
    return taken


def test_update_v2_is_probed_every_tenth_time_when_it_brings_nothing():
    assert deliveries(UpdateV2Policy(), 26) == "22222" + "1111111112" * 2 + "1"


def test_a_probe_that_brings_a_task_turns_update_v2_on_again():
    policy = UpdateV2Policy()
    deliveries(policy, 14)
    assert policy.use_v2()
    policy.record(brought_task=True)
    assert policy.use_v2()


def test_a_backlog_turns_update_v2_on_again():
    policy = UpdateV2Policy()
    deliveries(policy, 20)
    policy.record_backlog()
    assert policy.use_v2()

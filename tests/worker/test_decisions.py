"""What to do next: decisions without a socket."""

from __future__ import annotations

import logging

import pytest
from conductor_async.worker._backoff import LONGEST_WAIT, Backoff, FailureLog

from conductor_async.errors import (
    AmbiguousOutcomeError,
    APIError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConnectionFailedError,
    EndpointNotAvailableError,
    NotFoundError,
    PayloadError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTimeoutError,
    ResponseDecodeError,
    ServerError,
)
from conductor_async.worker._polling.poller import pause_after_empty
from conductor_async.worker._results.result_sender import Next, after, lacks_update_v2
from conductor_async.worker._results.update_v2_policy import UpdateV2Policy


def said(kind: type[APIError], status: int, message: str = "no", **facts) -> APIError:
    return kind(f"{status}: {message}", status=status, message=message, **facts)


class TestAfterAFailedDelivery:
    @pytest.mark.parametrize(
        ("error", "step"),
        [
            (ConnectionFailedError("refused"), Next.AGAIN),
            (RequestTimeoutError("slow"), Next.AGAIN),
            (AmbiguousOutcomeError("lost"), Next.AGAIN),
            (ResponseDecodeError("HTML"), Next.AGAIN),
            (said(AuthenticationError, 401), Next.AGAIN),
            (said(PermissionDeniedError, 403), Next.AGAIN),
            (said(RateLimitedError, 429), Next.AGAIN),
            (said(ServerError, 503), Next.AGAIN),
            (said(ServerError, 500, retryable=True), Next.AGAIN),
            (said(APIError, 302), Next.AGAIN),
            (said(EndpointNotAvailableError, 404, "No static resource api/tasks"), Next.AGAIN),
            (said(ServerError, 500), Next.COUNT),
            (said(BadRequestError, 400), Next.COUNT),
            (said(BadRequestError, 413), Next.COUNT),
            (said(NotFoundError, 404, "No such workflow found by id"), Next.DROP),
            (said(NotFoundError, 500, "No such task definition"), Next.COUNT),
            (PayloadError("NaN", path="outputData.x"), Next.FAIL),
            (ClientClosedError("closed"), Next.GIVE_UP),
        ],
    )
    def test_what_it_means(self, error, step):
        assert after(error) is step

    def test_no_such_workflow_is_not_no_such_endpoint(self):
        assert lacks_update_v2(said(EndpointNotAvailableError, 404, "No static resource api/tasks/update-v2"))
        assert lacks_update_v2(said(BadRequestError, 405))
        assert not lacks_update_v2(said(NotFoundError, 404, "No such workflow found by id: x"))
        assert not lacks_update_v2(said(ServerError, 500))


class TestUpdateChoice:
    def test_it_stays_with_v2_while_that_brings_tasks(self):
        choice = UpdateV2Policy()
        for _ in range(50):
            assert choice.wants_v2()
            choice.brought(True)
        choice.brought(False)
        assert choice.wants_v2()

    def deliveries(self, choice: UpdateV2Policy, count: int) -> str:
        """Each delivery as 2 or 1, when there is never a next task."""
        taken = ""
        for _ in range(count):
            v2 = choice.wants_v2()
            taken += "2" if v2 else "1"
            if v2:
                choice.brought(False)
        return taken

    def test_without_tasks_it_soon_uses_v1_and_probes_now_and_then(self):
        assert self.deliveries(UpdateV2Policy(), 26) == "22222" + "1111111112" * 2 + "1"

    def test_a_probe_that_brings_a_task_brings_v2_back(self):
        choice = UpdateV2Policy()
        self.deliveries(choice, 14)
        assert choice.wants_v2()
        choice.brought(True)
        assert choice.wants_v2()

    def test_a_backlog_brings_v2_back(self):
        choice = UpdateV2Policy()
        self.deliveries(choice, 20)
        choice.backlog()
        assert choice.wants_v2()


class TestPatience:
    def waits(self, error, count: int = 200) -> list[float]:
        patience = Backoff()
        return [patience.after(error) for _ in range(count)]

    def test_the_waits_grow_to_thirty_seconds_and_no_further(self):
        waits = self.waits(ConnectionFailedError("refused"))
        assert waits[0] <= 0.1
        assert 15 < max(waits) <= LONGEST_WAIT

    def test_a_refused_key_is_not_asked_about_at_once(self):
        waits = self.waits(said(AuthenticationError, 401))
        assert 0.5 <= waits[0] <= 1
        assert min(waits[5:]) >= 15

    def test_retry_after_is_a_floor(self):
        error = said(RateLimitedError, 429)
        error.retry_after = 7.0
        assert min(self.waits(error)) >= 7

    def test_success_starts_over(self):
        patience = Backoff()
        for _ in range(20):
            patience.after(ConnectionFailedError("refused"))
        patience.reset()
        assert patience.after(ConnectionFailedError("refused")) <= 0.1


def test_trouble_is_told_once_each_time_it_changes(caplog: pytest.LogCaptureFixture):
    trouble = FailureLog("polling for 'greet'")
    with caplog.at_level(logging.INFO, logger="conductor_async"):
        for _ in range(5):
            trouble.failed(ConnectionFailedError("refused"))
        for _ in range(5):
            trouble.failed(said(AuthenticationError, 401))
        trouble.works()
        trouble.works()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO"]
    assert "Polling for 'greet' fails" in caplog.messages[0]
    assert "access key" in caplog.messages[1]
    assert "works again, after 10 tries" in caplog.messages[2]


@pytest.mark.parametrize(
    ("asked_for", "took", "interval", "pause"),
    [
        (5.0, 5.0, 0.0, 0.0),  # a full long poll: straight on
        (5.0, 5.0, 10.0, 5.0),  # an interval counts from start to start
        (5.0, 0.0, 0.0, 0.1),  # a server that does not wait is not asked in a loop
        (0.05, 0.05, 0.0, 0.0),
        (0.1, 0.12, 1.0, 0.88),
    ],
)
def test_pause_after_an_empty_poll(asked_for, took, interval, pause):
    assert pause_after_empty(asked_for, took, interval) == pytest.approx(pause)

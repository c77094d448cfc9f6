"""Task definitions, compiled from JSON for fast access."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["TaskDefinition"]


@dataclass(slots=True, eq=False)
class TaskDefinition:
    """How the tasks of one name are retried, timed out and limited. Times are in seconds, but for the jitter."""

    wire: JsonObject
    name: str
    retry_count: int
    retry_logic: str
    retry_delay: int
    backoff_scale: int
    max_retry_delay: int
    jitter_ms: int
    timeout: int
    response_timeout: int
    poll_timeout: int
    total_timeout: int
    timeout_policy: str
    concurrency_limit: int
    rate_limit: int
    rate_frequency: int
    input_template: JsonObject
    runtime_metadata: list[str]

    @classmethod
    def compile(cls, wire: JsonObject) -> TaskDefinition:
        """Compiles a task definition that has its defaults."""
        return cls(
            wire=wire,
            name=wire.get("name", ""),
            retry_count=wire["retryCount"],
            retry_logic=wire["retryLogic"],
            retry_delay=wire["retryDelaySeconds"],
            backoff_scale=wire["backoffScaleFactor"],
            max_retry_delay=wire["maxRetryDelaySeconds"],
            jitter_ms=wire["backoffJitterMs"],
            timeout=wire["timeoutSeconds"],
            response_timeout=wire["responseTimeoutSeconds"],
            poll_timeout=wire.get("pollTimeoutSeconds") or 0,
            total_timeout=wire["totalTimeoutSeconds"],
            timeout_policy=wire["timeoutPolicy"],
            concurrency_limit=wire.get("concurrentExecLimit") or 0,
            rate_limit=wire["rateLimitPerFrequency"],
            rate_frequency=wire["rateLimitFrequencyInSeconds"],
            input_template=wire["inputTemplate"],
            runtime_metadata=wire["runtimeMetadata"],
        )

"""Metrics and tracing of clients and workers. Pass the objects as hooks to a client, as listeners to a host."""

from conductor_async.observability.metrics import PrometheusMetrics
from conductor_async.observability.tracing import Tracing

__all__ = ["PrometheusMetrics", "Tracing"]

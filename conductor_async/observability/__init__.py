"""Metrics and traces of workers and clients: listeners that you pass to a host or a configuration."""

from conductor_async.observability.metrics import PrometheusMetrics
from conductor_async.observability.tracing import Tracing

__all__ = ["PrometheusMetrics", "Tracing"]

"""Conductor's REST API over the embedded engine: the same paths, responses and errors as the real server 3.32.3."""

from conductor_async.devserver.runtime import Outcome, Runtime
from conductor_async.devserver.server import DevServer
from conductor_async.devserver.virtual_clock import ClockKind, VirtualClock

__all__ = ["ClockKind", "DevServer", "Outcome", "Runtime", "VirtualClock"]

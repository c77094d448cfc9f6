"""A Conductor inside the process, for development and tests: `EmbeddedConductor`.

It speaks the real server's API and keeps everything in memory.
"""

from conductor_async.embedded.conductor import EmbeddedConductor
from conductor_async.embedded.mocks import TIMES_OUT, Mock, MockAnswer

__all__ = ["TIMES_OUT", "EmbeddedConductor", "Mock", "MockAnswer"]

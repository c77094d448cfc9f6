"""A Conductor inside the process, for development and tests: `EmbeddedConductor`.

It speaks the real server's API and keeps everything in memory. `client_from_env` chooses between it and a server.
"""

from conductor_async.embedded.conductor import EmbeddedConductor
from conductor_async.embedded.from_env import client_from_env
from conductor_async.embedded.mocks import TIMES_OUT, Mock, MockAnswer

__all__ = ["TIMES_OUT", "EmbeddedConductor", "Mock", "MockAnswer", "client_from_env"]

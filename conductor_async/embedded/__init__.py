"""A Conductor inside the process, for development and tests: `EmbeddedConductor`.

It has the real server's API and keeps everything in memory. `client_from_env` chooses between it and a server.
"""

from conductor_async.embedded._conductor import EmbeddedConductor
from conductor_async.embedded._from_env import client_from_env
from conductor_async.embedded._mocks import TIMES_OUT, Mock, MockAnswer

__all__ = ["TIMES_OUT", "EmbeddedConductor", "Mock", "MockAnswer", "client_from_env"]

"""An async-first Python SDK for Conductor, the workflow engine.

The names here are the public ones; `conductor_async.models` and `conductor_async.errors` have the rest of theirs. The
real server as a child process is in `conductor_async.localserver`.
"""

import logging

from conductor_async._version import __version__
from conductor_async.client import ConductorClient
from conductor_async.compat import ConductorClients, OrkesClients
from conductor_async.config import AuthenticationSettings, Call, CallHook, Configuration, Limits, RetryPolicy
from conductor_async.errors import *
from conductor_async.models import *

logging.getLogger("conductor_async").addHandler(logging.NullHandler())

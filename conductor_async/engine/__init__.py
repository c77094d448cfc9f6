"""The embedded Conductor: a pure state machine. No HTTP, no wall clock, no threads.

`Engine` takes and returns what goes over the wire. Time is the clock that it was given; what is due by it is run by
`run_due()`.
"""

from conductor_async.engine.clock import Clock, ManualClock
from conductor_async.engine.engine import Engine
from conductor_async.engine.state.external import ExternalWork

__all__ = ["Clock", "Engine", "ExternalWork", "ManualClock"]

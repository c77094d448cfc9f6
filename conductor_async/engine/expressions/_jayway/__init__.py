"""JSONPath as the server reads it: as Jayway's JsonPath 2.9 for Java does, with errors suppressed.

No other library agrees with it where it matters: what a path with a wildcard gives when nothing matches (`[]`) and one
without (`null`), functions such as `length()` and `sum()`, filters, and the slips that it lets pass.
"""

from __future__ import annotations

from conductor_async.engine.expressions._jayway.parsing import compile_path
from conductor_async.engine.expressions._jayway.steps import Path, PathError

__all__ = ["Path", "PathError", "compile_path"]

"""JSONPath as the server evaluates it: like Jayway's JsonPath 2.9 for Java, with exceptions suppressed.

No other library agrees with Jayway where it matters: what a path gives when nothing matches (`[]` with a wildcard,
`null` without), functions such as `length()` and `sum()`, filters, and the malformed paths that it accepts. Its quirks
are copied on purpose, each with a comment: workflows rely on what the server does.
"""

from __future__ import annotations

from conductor_async.engine.expressions._jayway.parsing import compile_path
from conductor_async.engine.expressions._jayway.steps import Path, PathError

__all__ = ["Path", "PathError", "compile_path"]

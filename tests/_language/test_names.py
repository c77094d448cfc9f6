"""Names of workflows and tasks."""

from __future__ import annotations

from conductor_async._language.names import base_name


def test_the_base_name_ends_at_the_first_two_underscores() -> None:
    assert [base_name(name) for name in ("a", "a__2", "a_b__2__3", "my__task__1")] == ["a", "a", "a_b", "my"]

"""The task classes as type checkers see them. Checked by mypy and pyright, never run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, assert_type

from conductor_async import ConductorWorkflow
from conductor_async.tasks import (
    ChatMessage,
    DoWhileTask,
    DynamicForkTask,
    ForEachTask,
    ForkTask,
    GenerateImage,
    HttpInput,
    HttpTask,
    InputTask,
    LlmChatComplete,
    LlmSearchIndex,
    NoopTask,
    SwitchTask,
    TaskSequence,
    Text,
    WaitTask,
    field,
)
from conductor_async.workflow import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import KW_ONLY

workflow = ConductorWorkflow(name="w")

# What takes a value takes a reference to one.
HttpTask("h", HttpInput(uri=workflow.input.uri, read_timeout=timedelta(seconds=5)), retry_count=2, optional=True)
WaitTask("w", datetime(2030, 1, 1, tzinfo=UTC))
WaitTask("w", wait_for_seconds=workflow.input.seconds)

# Bodies are tasks, sequences, or lists; chains keep the class.
assert_type(SwitchTask("s", workflow.input.x).case("a", NoopTask("a")).default([NoopTask("b")]), SwitchTask)
loop = DoWhileTask("l", "true", NoopTask("a") >> NoopTask("b"))
loop.tasks = [NoopTask("a"), [NoopTask("b"), NoopTask("c")]]
assert_type(loop.tasks, TaskSequence)
assert_type(DynamicForkTask.of_task("f", "resize", [1, 2], description="all"), DynamicForkTask)

# What the server gives is a reference.
assert_type(HttpTask("h", {"uri": "https://a.example"}).body, Reference)
assert_type(ForEachTask("e", NoopTask("a"), [1]).item, Reference)

# Options are known by name.
LlmChatComplete("c", "openai", "gpt-5", [ChatMessage("user", "hi")], temperature=0.1, task_name="chat")
LlmChatComplete("c", "openai", "gpt-5", temprature=0.1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
LlmChatComplete("c", "openai")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
LlmChatComplete("c", "openai", "gpt-5", max_tokens=[])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
GenerateImage("i", "openai", "dall-e", "a cat", 512, 512, None, "vivid", n=2, name=None, cache_key="k")
LlmSearchIndex("s", "pg", "ns", "i", "openai", "ada", "what?", "search", 5, 1536)
NoopTask("n", optionl=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
WaitTask("w", wait_for_seconds=[])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Fields are read with the type that they have then.
assert_type(NoopTask("n", name=None).name, str)
assert_type(NoopTask("n", input_parameters=None).input_parameters, dict[str, Any])
assert_type(LlmChatComplete("c", "openai", "gpt-5").json_output, bool | str | Reference | None)
assert_type(ForkTask("f", [NoopTask("a")]).forked_tasks, list[TaskSequence])


# A class of one's own has the constructor that its body says.
class Translate(InputTask, task_type="TRANSLATE"):
    text: Text
    language: Text = field(default="en", key="targetLanguage")
    _: KW_ONLY
    glossary: Mapping[str, str] | None = None


Translate("t", "Hallo", "de", glossary={"a": "b"}, optional=True)
Translate("t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Translate("t", "Hallo", "de", {})  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]

"""Workflows of all types of tasks, as hypothesis makes them up: nested, with fields, inputs and references."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from conductor_async import ConductorWorkflow
from conductor_async.models import JoinMode, StateChangeEvent, TaskDef
from conductor_async.tasks import (
    AgentTask,
    CallMcpTool,
    CancelAgent,
    ChatMessage,
    DecisionTask,
    DoWhileTask,
    DynamicForkTask,
    DynamicTask,
    EmbeddingModel,
    EventTask,
    ExclusiveJoinTask,
    ForEachTask,
    ForkTask,
    GenerateAudio,
    GenerateImage,
    GeneratePdf,
    GenerateVideo,
    GetAgentCard,
    GetDocument,
    HttpInput,
    HttpPollInput,
    HttpPollTask,
    HttpTask,
    HumanTask,
    InlineSubWorkflowTask,
    InlineTask,
    JdbcTask,
    JoinTask,
    JsonJQTask,
    KafkaPublishInput,
    KafkaPublishTask,
    LambdaTask,
    ListMcpTools,
    LlmChatComplete,
    LlmGenerateEmbeddings,
    LlmIndexText,
    LlmQueryEmbeddings,
    LlmSearchEmbeddings,
    LlmSearchIndex,
    LlmStoreEmbeddings,
    LlmTextComplete,
    LoopTask,
    NoopTask,
    PullWorkflowMessagesTask,
    Role,
    SetVariableTask,
    SimpleTask,
    StartWorkflowTask,
    SubWorkflowTask,
    SwitchTask,
    TaskInterface,
    TaskOptions,
    TaskSequence,
    TerminateTask,
    UserDefinedTask,
    WaitForWebHookTask,
    WaitTask,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Make = Callable[[str, Any, TaskOptions], TaskInterface]

given = ConductorWorkflow(name="any")
MODEL = ("openai", "model")
STORE = ("vectors", "index")

words = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"], exclude_characters="${}"), max_size=12)
references = st.sampled_from(
    [given.input.a, given.input["b c"][0], given.variables.x, f"{given.input.a} and {given.input}", "$${no}"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.floats(-1e6, 1e6) | words | references,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words.filter(bool), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from(["p", "q", "r s"]), values, max_size=3)

COMMON = {
    "description": words.filter(bool),
    "input_parameters": objects,
    "optional": st.booleans(),
    "permissive": st.booleans(),
    "retry_count": st.integers(0, 5),
    "start_delay": st.integers(0, 60),
    "async_complete": st.booleans(),
    "rate_limited": st.booleans(),
    "task_definition": st.builds(TaskDef, name=st.just("own"), retry_count=st.integers(0, 9)),
    "cache_key": st.just("a-${q}"),
    "cache_ttl_second": st.integers(1, 99),
    "on_state_change": st.just({"onStart": [StateChangeEvent(type="tell", payload={"a": [1, "${workflow.input.a}"]})]}),
    "metadata": st.dictionaries(st.sampled_from("ab"), st.integers(0, 9), max_size=2),
}
options = st.fixed_dictionaries({}, optional=COMMON)

# A task of each type that has no others inside: by its reference name, a value for it, and the common fields.
LEAVES: dict[str, Make] = {
    "SIMPLE": lambda ref, _, more: SimpleTask("work", ref, **more),
    "DYNAMIC": lambda ref, _, more: DynamicTask(given.input.what, ref, **more),
    "USER_DEFINED": lambda ref, _, more: UserDefinedTask(ref, **more),
    "TYPE_OF_TOMORROW": lambda ref, _, more: UserDefinedTask(ref, "TYPE_OF_TOMORROW", **more),
    "NOOP": lambda ref, _, more: NoopTask(ref, **more),
    "SET_VARIABLE": lambda ref, value, more: _with(SetVariableTask(ref, **more), x=value),
    "INLINE": lambda ref, value, more: InlineTask(ref, "$.v", {"v": value}, **more),
    "LAMBDA": lambda ref, value, more: LambdaTask(ref, "return $.v", {"v": value}, **more),
    "JSON_JQ_TRANSFORM": lambda ref, value, more: _with(JsonJQTask(ref, ".v", **more), v=value),
    "JDBC": lambda ref, value, more: JdbcTask(ref, "db", "SELECT ?", [value], **more),
    "WAIT": lambda ref, _, more: WaitTask(ref, wait_for_seconds=given.input.seconds, **more),
    "HUMAN": lambda ref, _, more: HumanTask(ref, "Look at it", "form", 1, **more),
    "WAIT_FOR_WEBHOOK": lambda ref, value, more: WaitForWebHookTask(ref, {"$['id']": value}, **more),
    "PULL_WORKFLOW_MESSAGES": lambda ref, _, more: PullWorkflowMessagesTask(ref, 5, blocking=True, **more),
    "HTTP": lambda ref, value, more: HttpTask(ref, HttpInput("POST", "http://localhost/", body=value), **more),
    "HTTP_POLL": lambda ref, _, more: HttpPollTask(ref, HttpPollInput("true", uri="http://localhost/"), **more),
    "EVENT": lambda ref, _, more: EventTask(ref, f"conductor:{given.input.a}", **more),
    "KAFKA_PUBLISH": lambda ref, value, more: KafkaPublishTask(
        ref, KafkaPublishInput("localhost:9092", value={"v": value}, topic="t"), **more
    ),
    "TERMINATE": lambda ref, value, more: TerminateTask(ref, "FAILED", "so", value, **{**more, "optional": None}),
    "SUB_WORKFLOW": lambda ref, value, more: _with(SubWorkflowTask(ref, "other", 1, {"*": "d"}, **more), v=value),
    "START_WORKFLOW": lambda ref, value, more: StartWorkflowTask(ref, "other", {"input": {"v": value}}, 2, **more),
    "FORK_JOIN_DYNAMIC": lambda ref, value, more: DynamicForkTask.of_task(ref, "work", [{"v": value}], **more),
    "LLM_TEXT_COMPLETE": lambda ref, value, more: LlmTextComplete(
        ref, *MODEL, "p", prompt_variables={"v": value}, **more
    ),
    "LLM_CHAT_COMPLETE": lambda ref, value, more: LlmChatComplete(
        ref, *MODEL, [ChatMessage(Role.USER, given.input.q)], template_variables={"v": value}, json_output=True, **more
    ),
    "LLM_GENERATE_EMBEDDINGS": lambda ref, _, more: LlmGenerateEmbeddings(ref, *MODEL, given.input.q, 5, **more),
    "LLM_GET_EMBEDDINGS": lambda ref, _, more: LlmQueryEmbeddings(ref, *STORE, [0.5, 1], **more),
    "LLM_INDEX_TEXT": lambda ref, value, more: LlmIndexText(
        ref, *STORE, EmbeddingModel(*MODEL), given.input.q, "id", document_metadata={"v": value}, **more
    ),
    "LLM_STORE_EMBEDDINGS": lambda ref, value, more: LlmStoreEmbeddings(
        ref, *STORE, [1], "n", "id", {"v": value}, **more
    ),
    "LLM_SEARCH_INDEX": lambda ref, _, more: LlmSearchIndex(ref, "vectors", "n", "index", *MODEL, "q", **more),
    "LLM_SEARCH_EMBEDDINGS": lambda ref, _, more: LlmSearchEmbeddings(ref, *STORE, [1.5], **more),
    "GENERATE_IMAGE": lambda ref, _, more: GenerateImage(ref, *MODEL, given.input.q, **more),
    "GENERATE_AUDIO": lambda ref, _, more: GenerateAudio(ref, *MODEL, given.input.q, **more),
    "GENERATE_VIDEO": lambda ref, _, more: GenerateVideo(ref, *MODEL, given.input.q, **more),
    "GENERATE_PDF": lambda ref, _, more: GeneratePdf(ref, given.input.q, **more),
    "GET_DOCUMENT": lambda ref, _, more: GetDocument("fetch", ref, given.input.url, "text/html", **more),
    "LIST_MCP_TOOLS": lambda ref, _, more: ListMcpTools(ref, "http://localhost/mcp", **more),
    "CALL_MCP_TOOL": lambda ref, value, more: CallMcpTool(ref, "http://localhost/mcp", "m", {"v": value}, **more),
    "AGENT": lambda ref, _, more: AgentTask(ref, given.input.q, agent_url="http://localhost", **more),
    "GET_AGENT_CARD": lambda ref, _, more: GetAgentCard(ref, "http://localhost", **more),
    "CANCEL_AGENT": lambda ref, _, more: CancelAgent(ref, "http://localhost", given.input.q, **more),
}
WITH_OTHERS_INSIDE = ("FORK_JOIN", "JOIN", "SWITCH", "DECISION", "DO_WHILE", "EXCLUSIVE_JOIN", "SUB_WORKFLOW")


def _with(task: TaskInterface, **inputs: Any) -> TaskInterface:
    task.input_parameters |= inputs
    return task


@st.composite
def workflows(draw: st.DrawFn) -> ConductorWorkflow:
    """A workflow of up to a dozen tasks with all kinds of settings; what is put together is always valid."""
    workflow = ConductorWorkflow(name="generated", version=draw(st.integers(1, 9) | st.none()))
    workflow >> _sequence(draw, (f"t{number}" for number in itertools.count()), depth=2, in_loop=False)
    settings: dict[str, tuple[Any, ...]] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "timeout_seconds": st.tuples(st.integers(0, 3600)),
                "timeout_policy": st.tuples(st.sampled_from(["TIME_OUT_WF", "ALERT_ONLY"])),
                "owner_email": st.just(("ada@a.example",)),
                "failure_workflow": st.sampled_from([("other",), ("other", 2)]),
                "restartable": st.tuples(st.booleans()),
                "enable_status_listener": st.just(("kafka:a",)),
                "input_parameters": st.just(("a", "b")),
                "input_template": st.tuples(objects),
                "output_parameters": st.tuples(objects),
                "variables": st.tuples(objects),
                "metadata": st.tuples(st.just({"team": "a"})),
                "rate_limit": st.just(("key", 3)),
                "enforce_schema": st.tuples(st.booleans()),
                "masked_fields": st.just(("a",)),
            },
        )
    )
    for name, arguments in settings.items():
        getattr(workflow, name)(*arguments)
    return workflow


def _sequence(draw: st.DrawFn, names: Iterator[str], *, depth: int, in_loop: bool) -> TaskSequence:
    steps = draw(st.integers(1, 3))
    return TaskSequence(*(_step(draw, names, depth=depth, in_loop=in_loop) for _ in range(steps)))


def _step(draw: st.DrawFn, names: Iterator[str], *, depth: int, in_loop: bool) -> TaskInterface | TaskSequence:
    ref = next(names)
    kinds = [*LEAVES, *(WITH_OTHERS_INSIDE * 3 if depth else ())]
    kind, more = draw(st.sampled_from(kinds)), draw(options)

    def inside(*, in_loop: bool = in_loop) -> TaskSequence:
        return _sequence(draw, names, depth=depth - 1, in_loop=in_loop)

    if kind == "SUB_WORKFLOW" and depth and draw(st.booleans()):
        return InlineSubWorkflowTask(ref, ConductorWorkflow(name="child") >> inside(in_loop=False), **more)
    if kind in LEAVES:
        note = more.pop("metadata", None)  # tasks of vector databases take that of a document by this name
        task = LEAVES[kind](ref, draw(values), more)
        task.metadata = note
        return task
    if kind == "FORK_JOIN":
        return ForkTask(ref, [inside(), inside()], **more)
    if kind == "JOIN":
        join = JoinTask(next(names), None, draw(st.none() | st.just("true")), join_mode=draw(_join_modes), **more)
        return ForkTask(ref, [inside(), inside()]) >> join
    if kind == "EXCLUSIVE_JOIN":
        one, two = SimpleTask("work", next(names)), NoopTask(next(names))
        switch = SwitchTask(ref, given.input.a).case("1", one).default(two)
        ends = [one.task_reference_name, two.task_reference_name]
        return switch >> ExclusiveJoinTask(next(names), ends, draw(st.none() | st.just(ends[:1])), **more)
    if kind == "DO_WHILE":  # not straight inside another: the server cannot run that
        return NoopTask(ref, **more) if in_loop else _loop(draw, ref, inside(in_loop=True), more)
    made = SwitchTask if kind == "SWITCH" else DecisionTask
    script = draw(st.booleans())
    cases = made(ref, "$.q > 1" if script else given.input.a, script, **more)
    return cases.case("a", inside()).case(draw(words), []).default(inside() if draw(st.booleans()) else [])


_join_modes = st.sampled_from([None, *JoinMode])


def _loop(draw: st.DrawFn, ref: str, body: TaskSequence, more: TaskOptions) -> TaskInterface:
    keep = draw(st.none() | st.integers(1, 5))
    return draw(
        st.sampled_from(
            [
                DoWhileTask(ref, f"$.{ref}.iteration < 3", body, keep_last_n=keep, **more),
                LoopTask(ref, 3, body, **more),
                LoopTask(ref, given.input.n, body, **more),
                ForEachTask(ref, body, given.input.items, keep_last_n=keep, **more),
                ForEachTask(ref, body, [1, "two"], **more),
            ]
        )
    )

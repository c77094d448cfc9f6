"""Tasks that call tools and other agents: MCP servers, A2A agents and those of Conductor itself.

They run on servers with AI switched on. Every input may be an expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from conductor_async.workflow.references import InputValue, Reference
from conductor_async.workflow.tasks.inputs import Flag, InputField, Number, Text
from conductor_async.workflow.tasks.llm import AiOptions, AiTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["AgentOptions", "AgentTask", "CallMcpTool", "CancelAgent", "GetAgentCard", "ListMcpTools"]


# -- MCP ---------------------------------------------------------------------------------------------


class ListMcpTools(AiTask, task_type="LIST_MCP_TOOLS"):
    """Asks an MCP server for its tools: `task.tools`.

    Args:
        task_ref_name: The name of this place in the workflow.
        mcp_server: The server's URL.
        headers: Headers of the request.
        options: See `AiOptions` and `TaskOptions`.
    """

    mcp_server: InputField[Text] = InputField()
    headers: InputField[Mapping[str, Text] | Text] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        mcp_server: Text,
        headers: Mapping[str, Text] | Text | None = None,
        **options: Unpack[AiOptions],
    ) -> None:
        super().__init__(task_ref_name, {"mcp_server": mcp_server, "headers": headers}, options)

    @property
    def tools(self) -> Reference:
        """The tools, each with its name, description and schema."""
        return Reference(f"{self.task_reference_name}.output.tools")


class CallMcpTool(AiTask, task_type="CALL_MCP_TOOL"):
    """Calls a tool of an MCP server.

    Args:
        task_ref_name: The name of this place in the workflow.
        mcp_server: The server's URL.
        method: The tool.
        arguments: What it gets.
        headers: Headers of the request.
        options: See `AiOptions` and `TaskOptions`.
    """

    mcp_server: InputField[Text] = InputField()
    method: InputField[Text] = InputField()
    arguments: InputField[Mapping[str, InputValue] | Text] = InputField()
    headers: InputField[Mapping[str, Text] | Text] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        mcp_server: Text,
        method: Text,
        arguments: Mapping[str, InputValue] | Text | None = None,
        headers: Mapping[str, Text] | Text | None = None,
        **options: Unpack[AiOptions],
    ) -> None:
        inputs: dict[str, object] = {
            "mcp_server": mcp_server,
            "method": method,
            "arguments": {} if arguments is None else arguments,
            "headers": headers,
        }
        super().__init__(task_ref_name, inputs, options)


# -- agents ------------------------------------------------------------------------------------------


class AgentOptions(AiOptions, total=False):
    """How an agent is called. Some fields are for remote agents only, some for Conductor's own, as noted.

    Attributes:
        agent_type: `a2a` for a remote agent (the server's default), `conductor` for one of its own.
        agent_url: A remote agent's URL, or that of its card.
        agent_name: Conductor's own: the agent. (`name` is that of the task's definition.)
        agent_version: Conductor's own: its version; the latest one if not given.
        prompt: Conductor's own: what it is told.
        model: Conductor's own: the model, instead of the agent's.
        session_id: Conductor's own: the conversation to go on with.
        run_id: Conductor's own: an id for the run.
        execution_id: Conductor's own: the run to answer, instead of a new one.
        context: Conductor's own: more values for the agent.
        media: Conductor's own: URLs of pictures and the like.
        agent_config: Conductor's own: the agent's definition, instead of its name.
        framework: Conductor's own: the framework that `raw_config` is written for.
        raw_config: Conductor's own: the agent's definition in the words of that framework.
        skill_ref: Conductor's own: the skill to run.
        static_plan: Conductor's own: the steps, instead of a plan that the agent makes.
        credential_ref: Conductor's own: the name of the credentials that it uses.
        timeout_seconds: Conductor's own: how long the run may take.
        idempotency_key: Conductor's own: no second run for the same key.
        parts: Remote: the parts of the message, instead of a text.
        message: Remote: the whole message, instead of a text.
        context_id: Remote: the conversation to go on with.
        task_id: Remote: the task to answer.
        headers: Remote: headers of the requests.
        history_length: Remote: how much of the history to ask for.
        message_metadata: Remote: what is sent beside the message.
        streaming: Remote: listen to a stream instead of asking again and again.
        push_notification: Remote: let the agent call back.
        push_backstop_poll_seconds: Remote: how often to ask nevertheless: 300 if not given.
        poll_interval_seconds: How often to ask whether it is done: 5 if not given.
        max_duration_seconds: Fail after this time: 86400 if not given.
        max_poll_failures: Fail after so many failures to ask in a row: 30 if not given.
    """

    agent_type: Text | None
    agent_url: Text | None
    agent_name: Text | None
    agent_version: Number | None
    prompt: Text | None
    model: Text | None
    session_id: Text | None
    run_id: Text | None
    execution_id: Text | None
    context: Mapping[str, InputValue] | Text | None
    media: Sequence[Text] | Text | None
    agent_config: Mapping[str, InputValue] | Text | None
    framework: Text | None
    raw_config: Mapping[str, InputValue] | Text | None
    skill_ref: Mapping[str, InputValue] | Text | None
    static_plan: Mapping[str, InputValue] | Text | None
    credential_ref: Text | None
    timeout_seconds: Number | None
    idempotency_key: Text | None
    parts: Sequence[Mapping[str, InputValue]] | Text | None
    message: Mapping[str, InputValue] | Text | None
    context_id: Text | None
    task_id: Text | None
    headers: Mapping[str, Text] | Text | None
    history_length: Number | None
    message_metadata: Mapping[str, InputValue] | Text | None
    streaming: Flag | None
    push_notification: Flag | None
    push_backstop_poll_seconds: Number | None
    poll_interval_seconds: Number | None
    max_duration_seconds: Number | None
    max_poll_failures: Number | None


class AgentTask(AiTask, task_type="AGENT"):
    """Sends an agent to work and waits for what it gives.

    ```python
    remote = AgentTask("ask", "How is the weather?", agent_url="https://weather.example/a2a")
    own = AgentTask("plan", agent_type="conductor", agent_name="planner", prompt=workflow.input.goal)
    ```

    Args:
        task_ref_name: The name of this place in the workflow.
        text: What a remote agent is told.
        options: See `AgentOptions`, `AiOptions` and `TaskOptions`.
    """

    text: InputField[Text] = InputField()
    agent_type: InputField[Text] = InputField()
    agent_url: InputField[Text] = InputField()
    agent_name: InputField[Text] = InputField("name")
    agent_version: InputField[Number] = InputField("version")
    prompt: InputField[Text] = InputField()
    model: InputField[Text] = InputField()
    session_id: InputField[Text] = InputField()
    run_id: InputField[Text] = InputField()
    execution_id: InputField[Text] = InputField()
    context: InputField[Mapping[str, InputValue] | Text] = InputField()
    media: InputField[Sequence[Text] | Text] = InputField()
    agent_config: InputField[Mapping[str, InputValue] | Text] = InputField()
    framework: InputField[Text] = InputField()
    raw_config: InputField[Mapping[str, InputValue] | Text] = InputField()
    skill_ref: InputField[Mapping[str, InputValue] | Text] = InputField()
    static_plan: InputField[Mapping[str, InputValue] | Text] = InputField("static_plan")
    credential_ref: InputField[Text] = InputField()
    timeout_seconds: InputField[Number] = InputField()
    idempotency_key: InputField[Text] = InputField()
    parts: InputField[Sequence[Mapping[str, InputValue]] | Text] = InputField()
    message: InputField[Mapping[str, InputValue] | Text] = InputField()
    context_id: InputField[Text] = InputField()
    task_id: InputField[Text] = InputField()
    headers: InputField[Mapping[str, Text] | Text] = InputField()
    history_length: InputField[Number] = InputField()
    message_metadata: InputField[Mapping[str, InputValue] | Text] = InputField("metadata")
    streaming: InputField[Flag] = InputField()
    push_notification: InputField[Flag] = InputField()
    push_backstop_poll_seconds: InputField[Number] = InputField()
    poll_interval_seconds: InputField[Number] = InputField()
    max_duration_seconds: InputField[Number] = InputField()
    max_poll_failures: InputField[Number] = InputField()

    def __init__(self, task_ref_name: str, text: Text | None = None, **options: Unpack[AgentOptions]) -> None:
        super().__init__(task_ref_name, {"text": text}, options)

    @property
    def text_output(self) -> Reference:
        """What a remote agent has said."""
        return Reference(f"{self.task_reference_name}.output.text")

    @property
    def artifacts(self) -> Reference:
        """What a remote agent has made."""
        return Reference(f"{self.task_reference_name}.output.artifacts")


class GetAgentCard(AiTask, task_type="GET_AGENT_CARD"):
    """Asks a remote agent what it can do: `task.agent_card`.

    Args:
        task_ref_name: The name of this place in the workflow.
        agent_url: The agent's URL.
        headers: Headers of the request.
        agent_type: `a2a`.
        options: See `AiOptions` and `TaskOptions`.
    """

    agent_url: InputField[Text] = InputField()
    headers: InputField[Mapping[str, Text] | Text] = InputField()
    agent_type: InputField[Text] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        agent_url: Text,
        headers: Mapping[str, Text] | Text | None = None,
        *,
        agent_type: Text | None = None,
        **options: Unpack[AiOptions],
    ) -> None:
        inputs = {"agent_url": agent_url, "headers": headers, "agent_type": agent_type}
        super().__init__(task_ref_name, inputs, options)

    @property
    def agent_card(self) -> Reference:
        """The agent's card: its name, its skills, what it understands."""
        return Reference(f"{self.task_reference_name}.output.agentCard")


class CancelAgent(AiTask, task_type="CANCEL_AGENT"):
    """Stops an agent at work.

    Args:
        task_ref_name: The name of this place in the workflow.
        agent_url: A remote agent's URL.
        task_id: The remote agent's task: `agent.output.taskId`.
        agent_type: `a2a` (the server's default) or `conductor`.
        execution_id: The run of one of Conductor's own agents: `agent.output.executionId`.
        reason: Why, for Conductor's own.
        headers: Headers of the request.
        options: See `AiOptions` and `TaskOptions`.
    """

    agent_url: InputField[Text] = InputField()
    task_id: InputField[Text] = InputField()
    agent_type: InputField[Text] = InputField()
    execution_id: InputField[Text] = InputField()
    reason: InputField[Text] = InputField()
    headers: InputField[Mapping[str, Text] | Text] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        agent_url: Text | None = None,
        task_id: Text | None = None,
        *,
        agent_type: Text | None = None,
        execution_id: Text | None = None,
        reason: Text | None = None,
        headers: Mapping[str, Text] | Text | None = None,
        **options: Unpack[AiOptions],
    ) -> None:
        inputs = {
            "agent_url": agent_url,
            "task_id": task_id,
            "agent_type": agent_type,
            "execution_id": execution_id,
            "reason": reason,
            "headers": headers,
        }
        super().__init__(task_ref_name, inputs, options)

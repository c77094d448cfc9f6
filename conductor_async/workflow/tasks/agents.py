"""Tasks that call tools and other agents: MCP servers, A2A agents and Conductor's own agents.

They run on servers that have AI switched on. Every input may be an expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.workflow.tasks.fields import field
from conductor_async.workflow.tasks.llm import NamedAiTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from dataclasses import KW_ONLY

    from conductor_async.workflow.references import InputValue, Reference
    from conductor_async.workflow.tasks.inputs import Flag, Number, Text

__all__ = ["AgentTask", "CallMcpTool", "CancelAgent", "GetAgentCard", "ListMcpTools"]


# -- MCP ---------------------------------------------------------------------------------------------


class ListMcpTools(NamedAiTask, task_type="LIST_MCP_TOOLS"):
    """Lists the tools of an MCP server: `task.tools`.

    Args:
        mcp_server: The server's URL.
        headers: Headers of the request.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    mcp_server: Text
    headers: Mapping[str, Text] | Text | None = None

    @property
    def tools(self) -> Reference:
        """The tools, each with its name, description and schema."""
        return self._reference("tools")


class CallMcpTool(NamedAiTask, task_type="CALL_MCP_TOOL"):
    """Calls a tool of an MCP server.

    Args:
        mcp_server: The server's URL.
        method: The tool.
        arguments: The tool's arguments.
        headers: Headers of the request.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    mcp_server: Text
    method: Text
    arguments: Mapping[str, InputValue] | Text | None = field(
        default=None, convert=lambda given: {} if given is None else given
    )
    headers: Mapping[str, Text] | Text | None = None


# -- agents ------------------------------------------------------------------------------------------


class AgentTask(NamedAiTask, task_type="AGENT"):
    """Runs an agent and waits for its answer. Some fields are for remote agents only, some for Conductor's own.

    ```python
    remote = AgentTask("ask", "How is the weather?", agent_url="https://weather.example/a2a")
    own = AgentTask("plan", agent_type="conductor", agent_name="planner", prompt=workflow.input.goal)
    ```

    Args:
        text: Remote: the message.
        agent_type: `a2a` for a remote agent (the server's default), `conductor` for one of its own.
        agent_url: Remote: the agent's URL, or that of its card.
        agent_name: Conductor's own: the agent. (`name` is that of the task definition.)
        agent_version: Conductor's own: its version. Default: the latest.
        prompt: Conductor's own: the prompt.
        model: Conductor's own: the model, instead of the agent's.
        session_id: Conductor's own: the session to continue.
        run_id: Conductor's own: an id for the run.
        execution_id: Conductor's own: the run to answer, instead of a new one.
        context: Conductor's own: more values for the agent.
        media: Conductor's own: URLs of images and other media.
        agent_config: Conductor's own: the agent's definition, instead of its name.
        framework: Conductor's own: the framework that `raw_config` is written for.
        raw_config: Conductor's own: the agent's definition in the terms of that framework.
        skill_ref: Conductor's own: the skill to run.
        static_plan: Conductor's own: the steps, instead of a plan that the agent makes.
        credential_ref: Conductor's own: the name of the credentials that it uses.
        timeout_seconds: Conductor's own: the timeout of the run.
        idempotency_key: Conductor's own: there is one run for each key.
        parts: Remote: the parts of the message, instead of a text.
        message: Remote: the whole message, instead of a text.
        context_id: Remote: the conversation to continue.
        task_id: Remote: the task to answer.
        headers: Remote: headers of the requests.
        history_length: Remote: how much of the history to ask for.
        message_metadata: Remote: what is sent beside the message.
        streaming: Remote: listen to a stream instead of polling.
        push_notification: Remote: let the agent call back.
        push_backstop_poll_seconds: Remote: how often to poll nevertheless. Default: 300.
        poll_interval_seconds: How often to poll. Default: 5.
        max_duration_seconds: Fail after this time. Default: 86400.
        max_poll_failures: Fail after this many failed polls in a row. Default: 30.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    text: Text | None = None
    _: KW_ONLY
    agent_type: Text | None = None
    agent_url: Text | None = None
    agent_name: Text | None = field(default=None, key="name")
    agent_version: Number | None = field(default=None, key="version")
    prompt: Text | None = None
    model: Text | None = None
    session_id: Text | None = None
    run_id: Text | None = None
    execution_id: Text | None = None
    context: Mapping[str, InputValue] | Text | None = None
    media: Sequence[Text] | Text | None = None
    agent_config: Mapping[str, InputValue] | Text | None = None
    framework: Text | None = None
    raw_config: Mapping[str, InputValue] | Text | None = None
    skill_ref: Mapping[str, InputValue] | Text | None = None
    static_plan: Mapping[str, InputValue] | Text | None = field(default=None, key="static_plan")
    credential_ref: Text | None = None
    timeout_seconds: Number | None = None
    idempotency_key: Text | None = None
    parts: Sequence[Mapping[str, InputValue]] | Text | None = None
    message: Mapping[str, InputValue] | Text | None = None
    context_id: Text | None = None
    task_id: Text | None = None
    headers: Mapping[str, Text] | Text | None = None
    history_length: Number | None = None
    message_metadata: Mapping[str, InputValue] | Text | None = field(default=None, key="metadata")
    streaming: Flag | None = None
    push_notification: Flag | None = None
    push_backstop_poll_seconds: Number | None = None
    poll_interval_seconds: Number | None = None
    max_duration_seconds: Number | None = None
    max_poll_failures: Number | None = None

    @property
    def text_output(self) -> Reference:
        """The answer of a remote agent."""
        return self._reference("text")

    @property
    def artifacts(self) -> Reference:
        """The artifacts that a remote agent made."""
        return self._reference("artifacts")


class GetAgentCard(NamedAiTask, task_type="GET_AGENT_CARD"):
    """Fetches the card of a remote agent: `task.agent_card`.

    Args:
        agent_url: The agent's URL.
        headers: Headers of the request.
        agent_type: `a2a`.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    agent_url: Text
    headers: Mapping[str, Text] | Text | None = None
    _: KW_ONLY
    agent_type: Text | None = None

    @property
    def agent_card(self) -> Reference:
        """The agent's card: its name, its skills, what it understands."""
        return self._reference("agentCard")


class CancelAgent(NamedAiTask, task_type="CANCEL_AGENT"):
    """Cancels the run of an agent.

    Args:
        agent_url: A remote agent's URL.
        task_id: The remote agent's task: `agent.output.taskId`.
        agent_type: `a2a` (the server's default) or `conductor`.
        execution_id: The run of one of Conductor's own agents: `agent.output.executionId`.
        reason: Why, for Conductor's own.
        headers: Headers of the request.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    agent_url: Text | None = None
    task_id: Text | None = None
    _: KW_ONLY
    agent_type: Text | None = None
    execution_id: Text | None = None
    reason: Text | None = None
    headers: Mapping[str, Text] | Text | None = None

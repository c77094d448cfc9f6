"""Tasks that call language models.

They run on servers that have AI switched on and providers set up. A provider has the name that the server's
configuration gives it. Every input may be an expression.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, InitVar, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from conductor_async.workflow.references import InputValue, Reference, wire_form
from conductor_async.workflow.tasks.fields import field
from conductor_async.workflow.tasks.inputs import Flag, InputPart, InputTask, Number, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conductor_async.models import SchemaDef

__all__ = [
    "AiTask",
    "ChatMessage",
    "LlmChatComplete",
    "LlmTextComplete",
    "ModelTask",
    "NamedAiTask",
    "Role",
    "ToolCall",
    "ToolSpec",
]


class AiTask(InputTask):
    """The base of all AI tasks. The default name of their task definitions is the type in lower case.

    Args:
        integration_names: Names of integrations, by kind.
    """

    _: KW_ONLY
    integration_names: Mapping[str, str] | None = None

    def _set_up(self, given: Mapping[str, Any]) -> None:
        self.name = given.get("task_name") or self.name
        super()._set_up(given)

    def _default_name(self) -> str:
        return self.task_type.lower()

    @property
    def result(self) -> Reference:
        """What the model, or the server, returned."""
        return self._reference("result")


class NamedAiTask(AiTask):
    """The base of the AI tasks that take the name of their task definition as `task_name`, like conductor-python's.

    Args:
        task_name: The name of the task definition.
    """

    _: KW_ONLY
    task_name: InitVar[str | None] = None


class ModelTask(NamedAiTask):
    """The base of the tasks that call a model.

    Args:
        llm_provider: The provider.
        model: The model.
        prompt_variables: Values for the variables of a prompt.
        prompt_version: The version of a stored prompt.
        temperature: The sampling temperature, from 0 (deterministic) to 2.
        top_p: Samples from the most likely tokens that together have this probability.
        top_k: Samples from this many tokens.
        frequency_penalty: From -2 to 2: penalizes tokens by how often they occurred.
        presence_penalty: From -2 to 2: penalizes tokens that occurred.
        stop_words: The model stops at one of these.
        max_tokens: The model stops after this many tokens.
        max_results: How many answers to return.
        json_output: Asks for JSON.
        allow_raw_prompts: Takes the prompt as it is if none of that name is stored.
    """

    llm_provider: Text
    model: Text
    _: KW_ONLY
    prompt_variables: Mapping[str, InputValue] | Text | None = None
    prompt_version: Number | None = None
    temperature: Number | None = None
    top_p: Number | None = None
    top_k: Number | None = None
    frequency_penalty: Number | None = None
    presence_penalty: Number | None = None
    stop_words: Sequence[str] | Text | None = None
    max_tokens: Number | None = None
    max_results: Number | None = None
    json_output: Flag | None = None
    allow_raw_prompts: Flag | None = None

    def with_prompt_variables(self, variables: Mapping[str, InputValue]) -> Self:
        """Adds values for the variables of the prompt; returns the task."""
        self.input_parameters.setdefault("promptVariables", {}).update(wire_form(variables))
        return self

    def prompt_variable(self, variable: str, value: InputValue) -> Self:
        """Adds the value of one variable of the prompt; returns the task."""
        return self.with_prompt_variables({variable: value})

    @property
    def finish_reason(self) -> Reference:
        """Why the model stopped."""
        return self._reference("finishReason")

    @property
    def token_used(self) -> Reference:
        """How many tokens were used in all."""
        return self._reference("tokenUsed")


# -- completions -----------------------------------------------------------------------------------------


class LlmTextComplete(ModelTask, task_type="LLM_TEXT_COMPLETE"):
    """Completes a stored prompt with a model.

    Args:
        prompt_name: The stored prompt, or the prompt itself with `allow_raw_prompts`.

    Further arguments: see `ModelTask`, `AiTask` and `TaskInterface`.
    """

    prompt_name: Text


class Role(StrEnum):
    """Who a chat message is from."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL_CALL = "tool_call"
    TOOL = "tool"


@dataclass
class ToolCall(InputPart):
    """A tool call that the model made.

    Attributes:
        name: The tool.
        task_reference_name: The reference name of the task that ran it.
        integration_names: Names of integrations, by kind.
        type: The type of the task.
        input_parameters: The task's input.
        output: The task's output.
    """

    name: Text
    task_reference_name: Text | None = None
    integration_names: Mapping[str, str] | None = None
    type: str = "SIMPLE"
    input_parameters: Mapping[str, InputValue] | None = None
    output: Mapping[str, InputValue] | None = None


@dataclass
class ChatMessage(InputPart):
    """A message of a chat.

    Attributes:
        role: Who it is from: see `Role`.
        message: The text.
        media: URLs of images and other media.
        mime_type: Their media type.
        tool_calls: The tool calls in it.
    """

    role: Role | Text
    message: Text
    media: Sequence[Text] | Text | None = None
    mime_type: Text | None = None
    tool_calls: Sequence[ToolCall] | None = None


@dataclass
class ToolSpec(InputPart):
    """A tool that the model may call.

    Attributes:
        name: The tool: the name of a task or of a workflow.
        type: The type of the task that runs it.
        description: What the tool does; the model reads it.
        config_params: Settings of the task.
        integration_names: Names of integrations, by kind.
        input_schema: The JSON Schema of its input.
        output_schema: The JSON Schema of its output.
    """

    name: Text
    type: str = "SIMPLE"
    description: Text | None = None
    config_params: Mapping[str, InputValue] | None = None
    integration_names: Mapping[str, str] | None = None
    input_schema: Mapping[str, InputValue] | None = None
    output_schema: Mapping[str, InputValue] | None = None


class LlmChatComplete(ModelTask, task_type="LLM_CHAT_COMPLETE"):
    """Continues a chat with a model, which may call tools.

    Args:
        messages: The chat so far: `ChatMessage`s, dicts under the server's names, or an expression for them.
        instructions_template: The system prompt: a stored prompt, or text.
        template_variables: Values for the variables in it.
        tools: The tools that the model may call.
        user_input: The user's message, instead of `messages`.
        google_search_retrieval: Lets the model search with Google.
        web_search: Lets the model search the web.
        code_interpreter: Lets the model run code.
        file_search_vector_store_ids: Lets the model search these stores of files.
        input_schema: The schema of the input.
        output_schema: The schema that the answer has to match.
        output_mime_type: The media type of the answer.
        thinking_token_limit: How many tokens the model may spend on reasoning.
        reasoning_effort: `low`, `medium` or `high`.
        reasoning_summary: Whether, and how, to summarize the reasoning.
        output_location: Where to store the answer.
        previous_response_id: The response to continue from.
        voice: The voice of a spoken answer.
        participants: The roles of the participants, by name.

    Further arguments: see `ModelTask`, `AiTask` and `TaskInterface`.
    """

    messages: Sequence[ChatMessage | Mapping[str, InputValue]] | Text | None = None
    instructions_template: Text | None = field(default=None, key="instructions")
    template_variables: Mapping[str, InputValue] | Text | None = field(default=None, key="promptVariables")
    _: KW_ONLY
    tools: Sequence[ToolSpec | Mapping[str, InputValue]] | Text | None = None
    user_input: Text | None = None
    google_search_retrieval: Flag | None = None
    web_search: Flag | None = None
    code_interpreter: Flag | None = None
    file_search_vector_store_ids: Sequence[str] | Text | None = None
    input_schema: SchemaDef | Mapping[str, InputValue] | Text | None = None
    output_schema: SchemaDef | Mapping[str, InputValue] | Text | None = None
    output_mime_type: Text | None = None
    thinking_token_limit: Number | None = None
    reasoning_effort: Text | None = None
    reasoning_summary: Text | None = None
    output_location: Text | None = None
    previous_response_id: Text | None = None
    voice: Text | None = None
    participants: Mapping[str, str] | None = None

    @property
    def tool_calls(self) -> Reference:
        """The tool calls that the model asks for."""
        return self._reference("toolCalls")

"""Tasks that ask language models.

They run on servers with AI switched on and providers set up. A provider is named as the server's configuration names
it. Every input may be an expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self, Unpack

from conductor_async.workflow.references import InputValue, Reference
from conductor_async.workflow.tasks.base import TaskOptions
from conductor_async.workflow.tasks.inputs import Flag, InputField, InputPart, InputTask, Number, Text, wire_form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conductor_async.models import SchemaDef

__all__ = [
    "AiOptions",
    "AiTask",
    "ChatMessage",
    "ChatOptions",
    "LlmChatComplete",
    "LlmTextComplete",
    "ModelOptions",
    "ModelTask",
    "Role",
    "ToolCall",
    "ToolSpec",
]


# -- what they have in common --------------------------------------------------------------------------


class AiOptions(TaskOptions, total=False):
    """What all AI tasks may have beside the fields of all tasks.

    Attributes:
        task_name: The name of the task's definition; the type in lower case if not given.
        integration_names: Names of integrations, by kind.
    """

    task_name: str | None
    integration_names: Mapping[str, str] | None


class ModelOptions(AiOptions, total=False):
    """How a model is to answer.

    Attributes:
        prompt_variables: Values for the variables of a prompt.
        prompt_version: The version of a stored prompt.
        temperature: From 0, sober, to 2.
        top_p: Choose among the likeliest words that together have this probability.
        top_k: Choose among so many words.
        frequency_penalty: From -2 to 2: shuns words the more often they were used.
        presence_penalty: From -2 to 2: shuns words that were used.
        stop_words: Stop at one of these.
        max_tokens: Stop after so many tokens.
        max_results: How many answers.
        json_output: Ask for JSON.
        allow_raw_prompts: Take the prompt as it is, though none of that name is stored.
    """

    prompt_variables: Mapping[str, InputValue] | Text | None
    prompt_version: Number | None
    temperature: Number | None
    top_p: Number | None
    top_k: Number | None
    frequency_penalty: Number | None
    presence_penalty: Number | None
    stop_words: Sequence[str] | Text | None
    max_tokens: Number | None
    max_results: Number | None
    json_output: Flag | None
    allow_raw_prompts: Flag | None


class AiTask(InputTask):
    """The base of the AI tasks: `task.result` is what the model, or the server, has made."""

    integration_names: InputField[Mapping[str, str]] = InputField()

    def __init__(self, task_ref_name: str, inputs: Mapping[str, object], options: Mapping[str, object]) -> None:
        given = dict(options)
        task_name = given.pop("task_name", None) or given.get("name") or self._task_type.lower()
        super().__init__(task_ref_name, inputs, {**given, "name": task_name})

    @property
    def result(self) -> Reference:
        """What it has made."""
        return Reference(f"{self.task_reference_name}.output.result")


class ModelTask(AiTask):
    """The base of the tasks that a model does. See `ModelOptions` for its fields."""

    llm_provider: InputField[Text] = InputField()
    model: InputField[Text] = InputField()
    prompt_variables: InputField[Mapping[str, InputValue] | Text] = InputField()
    prompt_version: InputField[Number] = InputField()
    temperature: InputField[Number] = InputField()
    top_p: InputField[Number] = InputField()
    top_k: InputField[Number] = InputField()
    frequency_penalty: InputField[Number] = InputField()
    presence_penalty: InputField[Number] = InputField()
    stop_words: InputField[Sequence[str] | Text] = InputField()
    max_tokens: InputField[Number] = InputField()
    max_results: InputField[Number] = InputField()
    json_output: InputField[Flag] = InputField()
    allow_raw_prompts: InputField[Flag] = InputField()

    def with_prompt_variables(self, variables: Mapping[str, InputValue]) -> Self:
        """Adds values for the variables of the prompt; returns the task."""
        self.input_parameters.setdefault("promptVariables", {}).update(wire_form(variables))
        return self

    def prompt_variable(self, variable: str, value: InputValue) -> Self:
        """Adds the value of one variable of the prompt; returns the task."""
        return self.with_prompt_variables({variable: value})

    @property
    def finish_reason(self) -> Reference:
        """Why the model has stopped."""
        return Reference(f"{self.task_reference_name}.output.finishReason")

    @property
    def token_used(self) -> Reference:
        """How many tokens it took in all."""
        return Reference(f"{self.task_reference_name}.output.tokenUsed")


# -- completions -----------------------------------------------------------------------------------------


class LlmTextComplete(ModelTask, task_type="LLM_TEXT_COMPLETE"):
    """Has a model complete a stored prompt.

    Args:
        task_ref_name: The name of this place in the workflow.
        llm_provider: The provider.
        model: The model.
        prompt_name: The stored prompt, or the prompt itself with `allow_raw_prompts`.
        options: See `ModelOptions`, `AiOptions` and `TaskOptions`.
    """

    prompt_name: InputField[Text] = InputField()

    def __init__(
        self, task_ref_name: str, llm_provider: Text, model: Text, prompt_name: Text, **options: Unpack[ModelOptions]
    ) -> None:
        inputs = {"llm_provider": llm_provider, "model": model, "prompt_name": prompt_name}
        super().__init__(task_ref_name, inputs, options)


class Role(StrEnum):
    """Who says a message of a chat."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL_CALL = "tool_call"
    TOOL = "tool"


@dataclass
class ToolCall(InputPart):
    """A call of a tool that the model has made.

    Attributes:
        name: The tool.
        task_reference_name: The reference name of the task that ran it.
        integration_names: Names of integrations, by kind.
        type: The type of the task.
        input_parameters: What it got.
        output: What it gave.
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
        role: Who says it: see `Role`.
        message: What is said.
        media: URLs of pictures and the like.
        mime_type: Their media type.
        tool_calls: The calls of tools in it.
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
        description: What it is for; the model reads it.
        config_params: Settings of the task.
        integration_names: Names of integrations, by kind.
        input_schema: The JSON Schema of what it gets.
        output_schema: The JSON Schema of what it gives.
    """

    name: Text
    type: str = "SIMPLE"
    description: Text | None = None
    config_params: Mapping[str, InputValue] | None = None
    integration_names: Mapping[str, str] | None = None
    input_schema: Mapping[str, InputValue] | None = None
    output_schema: Mapping[str, InputValue] | None = None


class ChatOptions(ModelOptions, total=False):
    """What a chat may have beside a model's options.

    Attributes:
        tools: The tools that the model may call.
        user_input: What the user says, instead of messages.
        google_search_retrieval: Look it up with Google.
        web_search: Look it up in the web.
        code_interpreter: Let the model run code.
        file_search_vector_store_ids: Let the model look into these stores of files.
        input_schema: The schema of the input.
        output_schema: The schema that the answer has to fit.
        output_mime_type: The media type of the answer.
        thinking_token_limit: How many tokens it may think.
        reasoning_effort: How hard: `low`, `medium`, `high`.
        reasoning_summary: Whether, and how, to tell what it thought.
        output_location: Where to store the answer.
        previous_response_id: The answer that this one goes on from.
        voice: The voice of a spoken answer.
        participants: The roles of those who take part, by name.
    """

    tools: Sequence[ToolSpec | Mapping[str, InputValue]] | Text | None
    user_input: Text | None
    google_search_retrieval: Flag | None
    web_search: Flag | None
    code_interpreter: Flag | None
    file_search_vector_store_ids: Sequence[str] | Text | None
    input_schema: SchemaDef | Mapping[str, InputValue] | Text | None
    output_schema: SchemaDef | Mapping[str, InputValue] | Text | None
    output_mime_type: Text | None
    thinking_token_limit: Number | None
    reasoning_effort: Text | None
    reasoning_summary: Text | None
    output_location: Text | None
    previous_response_id: Text | None
    voice: Text | None
    participants: Mapping[str, str] | None


class LlmChatComplete(ModelTask, task_type="LLM_CHAT_COMPLETE"):
    """Has a model go on with a chat; it may call tools.

    Args:
        task_ref_name: The name of this place in the workflow.
        llm_provider: The provider.
        model: The model.
        messages: What was said: `ChatMessage`s, dicts under the server's names, or an expression that gives them.
        instructions_template: What the model is told first: a stored prompt, or text.
        template_variables: Values for the variables in it.
        options: See `ChatOptions`, `ModelOptions`, `AiOptions` and `TaskOptions`.
    """

    messages: InputField[Sequence[ChatMessage | Mapping[str, InputValue]] | Text] = InputField()
    instructions_template: InputField[Text] = InputField("instructions")
    tools: InputField[Sequence[ToolSpec | Mapping[str, InputValue]] | Text] = InputField()
    user_input: InputField[Text] = InputField()
    google_search_retrieval: InputField[Flag] = InputField()
    web_search: InputField[Flag] = InputField()
    code_interpreter: InputField[Flag] = InputField()
    file_search_vector_store_ids: InputField[Sequence[str] | Text] = InputField()
    input_schema: InputField[SchemaDef | Mapping[str, InputValue] | Text] = InputField()
    output_schema: InputField[SchemaDef | Mapping[str, InputValue] | Text] = InputField()
    output_mime_type: InputField[Text] = InputField()
    thinking_token_limit: InputField[Number] = InputField()
    reasoning_effort: InputField[Text] = InputField()
    reasoning_summary: InputField[Text] = InputField()
    output_location: InputField[Text] = InputField()
    previous_response_id: InputField[Text] = InputField()
    voice: InputField[Text] = InputField()
    participants: InputField[Mapping[str, str]] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        llm_provider: Text,
        model: Text,
        messages: Sequence[ChatMessage | Mapping[str, InputValue]] | Text | None = None,
        instructions_template: Text | None = None,
        template_variables: Mapping[str, InputValue] | Text | None = None,
        **options: Unpack[ChatOptions],
    ) -> None:
        inputs: dict[str, object] = {
            "llm_provider": llm_provider,
            "model": model,
            "messages": messages,
            "instructions_template": instructions_template,
            "prompt_variables": template_variables,
        }
        super().__init__(task_ref_name, inputs, options)

    @property
    def tool_calls(self) -> Reference:
        """The tools that the model wants to be called."""
        return Reference(f"{self.task_reference_name}.output.toolCalls")

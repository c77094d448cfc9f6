"""Fields of tasks that are input parameters."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.models import SchemaDef
from conductor_async.tasks import ChatMessage, GenerateImage, LlmChatComplete, LlmTextComplete

workflow = ConductorWorkflow(name="w")


def test_a_field_and_its_input_parameter_are_one():
    task = LlmTextComplete("t", "openai", "gpt-5", "hello", temperature=0.1)
    assert task.input_parameters == {
        "temperature": 0.1,
        "llmProvider": "openai",
        "model": "gpt-5",
        "promptName": "hello",
    }
    task.temperature = workflow.input.temperature
    assert task.input_parameters["temperature"] == "${workflow.input.temperature}"
    task.input_parameters["temperature"] = 0.2
    assert task.temperature == 0.2
    task.temperature = None
    assert "temperature" not in task.input_parameters
    task.llmProvider = "anthropic"
    assert task.llm_provider == "anthropic"


def test_input_parts_are_sent_under_the_servers_names():
    task = LlmChatComplete("c", "openai", "gpt-5", [ChatMessage("user", workflow.input.q, mime_type="text/plain")])
    task.output_schema = SchemaDef(name="answer", version=2)
    made = task.to_workflow_task().to_wire()["inputParameters"]
    assert made["messages"] == [{"role": "user", "message": "${workflow.input.q}", "mimeType": "text/plain"}]
    assert made["outputSchema"] == {"name": "answer", "version": 2}


def test_misspelt_options_are_errors():
    with pytest.raises(TypeError, match="no field 'temprature': did you mean 'temperature'"):
        LlmTextComplete("t", "openai", "gpt-5", "hello", temprature=0.1)
    with pytest.raises(TypeError, match="no field 'optionl': did you mean 'optional'"):
        GenerateImage("i", "openai", "dall-e", "a cat", optionl=True)
    with pytest.raises(TypeError, match="no field 'result'"):
        GenerateImage("i", "openai", "dall-e", "a cat", result=1)
    task = GenerateImage("i", "openai", "dall-e", "a cat")
    with pytest.raises(AttributeError, match="'widht': did you mean 'width'"):
        task.widht = 5

"""Fields that a task class declares once."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING

import pytest

from conductor_async.tasks import (
    ForkTask,
    HttpTask,
    InputTask,
    LlmChatComplete,
    LlmIndexText,
    NoopTask,
    Number,
    SimpleTask,
    TaskInterface,
    TaskOptions,
    Text,
    field,
)

if TYPE_CHECKING:
    from dataclasses import KW_ONLY, InitVar


class Translate(InputTask, task_type="TRANSLATE_TEST_TYPE"):
    """Translates a text."""

    text: Text
    language: Text = field(default="en", key="targetLanguage", convert=lambda given: str(given).lower())
    notes: InitVar[str | None] = None
    _: KW_ONLY
    max_words: Number | None = None
    draft: bool | None = field(default=None, init=False)

    def _set_up(self, given):
        super()._set_up(given)
        self.description = given["notes"]


def test_the_class_body_is_the_constructor():
    task = Translate("t", "Hallo", "DE", "soon", max_words=5, optional=True)
    assert task.input_parameters == {"text": "Hallo", "targetLanguage": "de", "maxWords": 5}
    assert (task.text, task.language, task.max_words, task.draft) == ("Hallo", "de", 5, None)
    assert (task.task_reference_name, task.name, task.description, task.optional) == ("t", "t", "soon", True)


def test_keywords_are_accepted_in_both_spellings():
    task = Translate(taskRefName="t", text="Hallo", maxWords=5, retryCount=2)
    assert (task.task_reference_name, task.max_words, task.retry_count) == ("t", 5, 2)
    assert HttpTask("h", httpInput={"uri": "u"}).input_parameters == {"http_request": {"method": "GET", "uri": "u"}}


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, r"Translate\(\) lacks 'task_ref_name', 'text'"),
        (("t", "a", "b", "c", "d"), {}, r"Translate\(\) takes 4 positional arguments, not 5"),
        (("t", "a"), {"text": "b"}, r"Translate\(\) got 'text' twice"),
        (("t", "a"), {"max_words": 1, "maxWords": 1}, r"Translate\(\) got 'max_words' twice"),
        (("t", "a"), {"max_word": 1}, "Translate has no field 'max_word': did you mean 'max_words'"),
        (("t", "a"), {"draft": True}, "Translate has no field 'draft'"),
    ],
)
def test_wrong_arguments_are_errors(args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        Translate(*args, **kwargs)


def test_init_only_arguments_are_no_attributes():
    task = Translate("t", "a")
    assert not hasattr(task, "notes")
    with pytest.raises(AttributeError, match="no field 'notes'"):
        task.notes = "later"


def test_input_parameters_and_fields_are_one_also_for_those_that_the_caller_gave():
    task = Translate("t", "a", input_parameters={"maxWords": 3, "x": 1})
    assert task.max_words == 3
    assert task.input_parameters == {"maxWords": 3, "x": 1, "text": "a", "targetLanguage": "en"}


def test_converted_attributes_convert_whenever_they_are_set():
    fork = ForkTask("f", [NoopTask("a")])
    fork.forked_tasks = [[NoopTask("b"), NoopTask("c")]]
    assert [task.task_reference_name for task in fork.forked_tasks[0]] == ["b", "c"]


def test_copies_share_nothing():
    task = Translate("t", "a", max_words=5)
    twin = copy.deepcopy(task)
    twin.max_words = 6
    assert (task.max_words, twin.max_words) == (5, 6)


def test_signatures_name_all_arguments():
    assert str(inspect.signature(Translate)).startswith(
        "(task_ref_name: 'str', text: 'Text', language: 'Text' = 'en', notes: 'str | None' = None, *, name: "
    )
    parameters = inspect.signature(LlmChatComplete).parameters
    assert list(parameters)[:6] == [
        "task_ref_name",
        "llm_provider",
        "model",
        "messages",
        "instructions_template",
        "template_variables",
    ]
    assert parameters["temperature"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["tools"].default is None
    assert list(inspect.signature(LlmIndexText).parameters)[:4] == [
        "task_ref_name",
        "vector_db",
        "index",
        "embedding_model",
    ]
    assert list(inspect.signature(SimpleTask).parameters) == ["task_def_name", "task_reference_name", "options"]


def test_options_are_the_keywords_that_every_task_takes():
    keywords = [
        name
        for name, parameter in inspect.signature(TaskInterface).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    assert keywords == list(TaskOptions.__annotations__)


def test_a_subclass_without_fields_keeps_the_constructor():
    class Greet(SimpleTask):
        pass

    assert Greet("greet", "g").name == "greet"

from __future__ import annotations

import copy
import json
import pickle

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.errors import ConfigurationError
from conductor_async.models import SchemaDef
from conductor_async.tasks import ChatMessage, Role, SimpleTask
from conductor_async.workflow import Reference, WorkflowBuilder
from conductor_async.workflow.references import env, plain, secret

workflow = ConductorWorkflow(name="orders")
task = SimpleTask("price", "price_ref")


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        (workflow.input, "${workflow.input}"),
        (workflow.input(None), "${workflow.input}"),
        (workflow.input("a.b"), "${workflow.input.a.b}"),
        (workflow.input.a.b, "${workflow.input.a.b}"),
        (workflow.input["a"], "${workflow.input.a}"),
        (workflow.output("x"), "${workflow.output.x}"),
        (workflow.variables.x, "${workflow.variables.x}"),
        (workflow.variables("x.y"), "${workflow.variables.x.y}"),
        (workflow.variables(), "${workflow.variables}"),
        (secret("db"), "${workflow.secrets.db}"),
        (secret("db.password"), "${workflow.secrets.db.password}"),
        (env("REGION"), "${workflow.env.REGION}"),
        (task.output(), "${price_ref.output}"),
        (task.output("x"), "${price_ref.output.x}"),
        (task.output(".x"), "${price_ref.output.x}"),
        (task.output("[0].x"), "${price_ref.output[0].x}"),
        (task.output["x"], "${price_ref.output.x}"),
        (task.output.lines[0].price, "${price_ref.output.lines[0].price}"),
        (task.output.lines[-1], "${price_ref.output.lines[-1]}"),
        (task.output.lines[1:3], "${price_ref.output.lines[1:3]}"),
        (task.output["dash-key"], "${price_ref.output.dash-key}"),
        (task.output["two words"], "${price_ref.output['two words']}"),
        (task.output["a.b"], "${price_ref.output['a.b']}"),
        (task.output["it's"], r"${price_ref.output['it\'s']}"),
        (task.output["_hidden"], "${price_ref.output._hidden}"),
        (task.input("x"), "${price_ref.input.x}"),
        (task.input(json_path="x"), "${price_ref.input.x}"),
        (task.input.x["y"], "${price_ref.input.x.y}"),
    ],
)
def test_paths_become_text(reference, text):
    assert str(reference) == text
    assert f"{reference}" == text
    assert reference == text
    assert hash(reference) == hash(text)


@pytest.mark.parametrize("name", ["title", "count", "index", "format", "keys", "items", "join", "upper"])
def test_names_of_str_methods_are_keys(name):
    assert getattr(task.output, name) == f"${{price_ref.output.{name}}}"


def test_references_can_be_formatted_and_concatenated():
    name = workflow.input.name
    assert f"Hello, {name}!" == "Hello, ${workflow.input.name}!"
    assert "Hello, " + name + "!" == "Hello, ${workflow.input.name}!"
    assert f"{name:>25}" == "   ${workflow.input.name}"
    assert repr(name) == "Reference('${workflow.input.name}')"


def test_references_are_immutable_and_no_sequences():
    with pytest.raises(TypeError):
        list(workflow.input.names)
    with pytest.raises(TypeError):
        "a" in workflow.input.names  # noqa: B015
    with pytest.raises(AttributeError):
        workflow.input.name = "Ada"


def test_dunder_names_raise_attribute_error():
    assert not hasattr(task.output, "_repr_html_")
    assert not hasattr(task.output, "__len__")
    for each in (copy.copy, copy.deepcopy, lambda reference: pickle.loads(pickle.dumps(reference))):
        assert each(task.output.x) == "${price_ref.output.x}"


def test_braces_in_a_path_are_an_error():
    with pytest.raises(ConfigurationError, match="braces"):
        workflow.input("a}")


def test_plain_copies_and_turns_references_into_text():
    given = {"a": [workflow.input.x, {"b": (1, task.output)}], "c": None}
    made = plain(given)
    assert json.dumps(made) == '{"a": ["${workflow.input.x}", {"b": [1, "${price_ref.output}"]}], "c": null}'
    made["a"].append(1)
    assert len(given["a"]) == 2


def test_plain_uses_the_wire_form_of_models():
    message = ChatMessage(Role.USER, workflow.input.q, media=[task.output.picture])
    assert plain({"said": [message], "schema": SchemaDef(name="s", version=2)}) == {
        "said": [{"role": "user", "message": "${workflow.input.q}", "media": ["${price_ref.output.picture}"]}],
        "schema": {"name": "s", "version": 2},
    }


def test_references_equal_references_and_text_only():
    assert Reference("a.b") == Reference("a.b")
    assert Reference("a.b") != Reference("a.c")
    assert Reference("a.b") != 1


@pytest.mark.parametrize("name", ["", " ", None, 5, "a}b"])
def test_secrets_and_environment_need_a_name(name):
    for named in (secret, env):
        with pytest.raises(ConfigurationError):
            named(name)


def test_a_reference_has_no_truth_value():
    task = SimpleTask("work")
    for reference in (task.output.ok, task.input.x, WorkflowBuilder(name="w").input.x, secret("s")):
        for decide in (bool, lambda value: not value, lambda value: 1 if value else 2, lambda value: value and 1):
            with pytest.raises(TypeError, match=r"\$\{.*SwitchTask"):
                decide(reference)

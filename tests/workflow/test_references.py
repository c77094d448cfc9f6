from __future__ import annotations

import copy
import json
import pickle

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.errors import ConfigurationError
from conductor_async.models import SchemaDef
from conductor_async.tasks import ChatMessage, Role, SimpleTask
from conductor_async.workflow import Reference
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
def test_text(reference, text):
    assert str(reference) == text
    assert f"{reference}" == text
    assert reference == text
    assert hash(reference) == hash(text)


@pytest.mark.parametrize("name", ["title", "count", "index", "format", "keys", "items", "join", "upper"])
def test_keys_that_are_methods_of_str_are_keys_here(name):
    assert getattr(task.output, name) == f"${{price_ref.output.{name}}}"


def test_reads_in_templates():
    name = workflow.input.name
    assert f"Hello, {name}!" == "Hello, ${workflow.input.name}!"
    assert "Hello, " + name + "!" == "Hello, ${workflow.input.name}!"
    assert f"{name:>25}" == "   ${workflow.input.name}"
    assert repr(name) == "Reference('${workflow.input.name}')"


def test_is_no_sequence_and_cannot_be_changed():
    with pytest.raises(TypeError):
        list(workflow.input.names)
    with pytest.raises(TypeError):
        "a" in workflow.input.names  # noqa: B015
    with pytest.raises(AttributeError):
        workflow.input.name = "Ada"


def test_answers_pythons_own_questions_honestly():
    assert not hasattr(task.output, "_repr_html_")
    assert not hasattr(task.output, "__len__")
    for each in (copy.copy, copy.deepcopy, lambda reference: pickle.loads(pickle.dumps(reference))):
        assert each(task.output.x) == "${price_ref.output.x}"


def test_braces_cannot_be_part_of_a_path():
    with pytest.raises(ConfigurationError, match="braces"):
        workflow.input("a}")


def test_plain_makes_fresh_json_of_all_it_holds():
    given = {"a": [workflow.input.x, {"b": (1, task.output)}], "c": None}
    made = plain(given)
    assert json.dumps(made) == '{"a": ["${workflow.input.x}", {"b": [1, "${price_ref.output}"]}], "c": null}'
    made["a"].append(1)
    assert len(given["a"]) == 2


def test_plain_knows_the_wire_form_of_what_has_one():
    message = ChatMessage(Role.USER, workflow.input.q, media=[task.output.picture])
    assert plain({"said": [message], "schema": SchemaDef(name="s", version=2)}) == {
        "said": [{"role": "user", "message": "${workflow.input.q}", "media": ["${price_ref.output.picture}"]}],
        "schema": {"name": "s", "version": 2},
    }


def test_equality_is_with_references_and_text_only():
    assert Reference("a.b") == Reference("a.b")
    assert Reference("a.b") != Reference("a.c")
    assert Reference("a.b") != 1


@pytest.mark.parametrize("name", ["", " ", None, 5, "a}b"])
def test_secrets_and_environment_are_known_by_name(name):
    for named in (secret, env):
        with pytest.raises(ConfigurationError):
            named(name)

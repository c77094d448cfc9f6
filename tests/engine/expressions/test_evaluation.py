"""`${…}`: a table and generated templates that the engine and the real server evaluate alike, and properties."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conductor_async.engine.expressions.evaluation import resolve, resolve_input
from conductor_async.engine.expressions.named_values import substitute_secrets
from conductor_async.engine.expressions.scope import Scope
from tests.engine.expressions.cases import CASES, INPUT
from tests.engine.expressions.generated import generate_templates
from tests.engine.real_server import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

ROOTS: dict[str, Any] = {
    "workflow": {
        "input": INPUT,
        "output": {},
        "status": "RUNNING",
        "workflowType": "NAME",
        "version": 1,
        "schemaVersion": 2,
        "correlationId": None,
        "parentWorkflowId": None,
        "variables": {"v": "vv"},
    },
    "before": {
        "input": {"v": "vv"},
        "output": {},
        "status": "COMPLETED",
        "taskType": "SET_VARIABLE",
        "taskDefName": "set_before",
        "referenceTaskName": "before",
        "retryCount": 0,
        "iteration": 0,
    },
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", CASES)
def test_expressions_have_the_values_of_the_table(name: str) -> None:
    template, expected = CASES[name]
    assert _written(resolve(template, Scope(ROOTS))) == _written(expected)


@pytest.mark.server
def test_the_server_gives_expressions_the_values_of_the_table(server_url: str, new_name: Callable[[str], str]) -> None:
    name = new_name("expressions")
    found, _ = evaluate(server_url, name, {key: template for key, (template, _) in CASES.items()}, INPUT)
    expected = {key: name if value == "NAME" else value for key, (_, value) in CASES.items()}
    assert {key: _written(found[key]) for key in expected} == {key: _written(each) for key, each in expected.items()}


@pytest.mark.server
def test_the_server_orders_keys_as_the_engine_does(server_url: str, new_name: Callable[[str], str]) -> None:
    templates = {key: template for key, (template, _) in CASES.items()}
    found, _ = evaluate(server_url, new_name("order"), templates, INPUT)
    assert list(found) == list(resolve(templates, Scope(ROOTS)))
    assert list(found["deep"]["in"]) == list(resolve(templates["deep"]["in"], Scope(ROOTS)))


@pytest.mark.server
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_generated_templates_have_the_same_values_on_the_server(
    seed: int, server_url: str, new_name: Callable[[str], str]
) -> None:
    name = new_name("generated")
    templates = {f"t{number}": text for number, text in enumerate(generate_templates(random.Random(seed), 100))}
    found, execution = evaluate(server_url, name, templates, INPUT)
    workflow = {**ROOTS["workflow"], "workflowType": name, "input": execution["input"]}
    here = resolve(templates, Scope({**ROOTS, "workflow": workflow}))
    differing = {
        templates[key]: (here[key], found[key]) for key in found if _written(here[key]) != _written(found[key])
    }
    assert differing == {}


@pytest.mark.server
@pytest.mark.only_on("server", reason="there is no Java whose properties could be named")
def test_variables_of_the_servers_process_need_no_root(server_url: str, new_name: Callable[[str], str]) -> None:
    templates = {"version": "${java.specification.version}", "text": "v${java.specification.version}"}
    found, _ = evaluate(server_url, new_name("process"), templates, {})
    assert found["text"] == f"v{found['version']}" != "v"


@given(value=JSON)
def test_a_value_without_expressions_does_not_change(value: Any) -> None:
    if "${" not in json.dumps(value):
        assert resolve(value, Scope(ROOTS)) == value


@given(
    pieces=st.lists(st.sampled_from([*"${}$.[]()?@*'\"\\: \n", "workflow", "input", "l", "o", "..", "${", "length()"]))
)
def test_resolving_never_raises(pieces: list[str]) -> None:
    resolve("".join(pieces), Scope(ROOTS))
    resolve("${workflow.input." + "".join(pieces) + "}", Scope(ROOTS))


def test_keys_are_in_the_order_of_a_hash_map() -> None:
    assert list(resolve({"parent": 1, "corr": 1, "big": 1, "num": 1}, Scope({}))) == ["parent", "big", "corr", "num"]


def test_a_plain_path_reads_only_its_own_root() -> None:
    class Lazy(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise AssertionError(key)

        def get(self, key: str, default: Any = None) -> Any:
            return {"output": key} if key == "a" else default

    assert resolve("${a.output}", Scope(Lazy({"b": 1}))) == "a"


def test_the_task_id_is_filled_in_if_there_is_one() -> None:
    assert resolve(["${CPEWF_TASK_ID}", "id ${CPEWF_TASK_ID}"], Scope({}, task_id="t1")) == ["t1", "id t1"]
    assert resolve("${NETFLIX_STACK}", Scope({})) == "${NETFLIX_STACK}"


def test_environment_values_may_be_json() -> None:
    scope = Scope({}, environment={"BAR": "baz", "CONF": '{"a": {"b": 5}}', "BROKEN": "{"})
    templates = ["${workflow.env.BAR}", "x${workflow.env.CONF.a.b}", "${workflow.env.BROKEN.a}", "${workflow.env.NOPE}"]
    assert resolve(templates, scope) == ["baz", "x5", None, None]


def test_secrets_are_substituted_in_resolved_values() -> None:
    secrets = {"FOO": "shh", "CONF": '{"a": {"b": 5}}'}
    value = {
        "whole": "${workflow.secrets.FOO}",
        "text": ["pre-${workflow.secrets.FOO}", "${workflow.secrets.FOO}${workflow.secrets.NOPE}"],
        "json": "${workflow.secrets.CONF.a.b}",
        "missing": "${workflow.secrets.NOPE}",
        "other": 1,
    }
    assert substitute_secrets(value, secrets) == {
        "whole": "shh",
        "text": ["pre-shh", "shh"],
        "json": 5,
        "missing": None,
        "other": 1,
    }


def test_an_input_template_supplies_what_is_absent_or_null() -> None:
    scope = Scope({"workflow": {"input": {"q": 3}}})
    parameters = {"p": "wp", "n": "${workflow.input.nope}", "raw": "${workflow.input.nope}", "given": None}
    template = {"p": "tp", "q": "${workflow.input.q}", "n": "dflt", "raw": "${workflow.input.q}", "given": 1}
    assert resolve_input(parameters, scope, template) == {
        "p": "wp",
        "q": 3,
        "n": "dflt",
        "raw": "${workflow.input.q}",
        "given": 1,
    }
    assert resolve_input(None, scope) == {}


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)

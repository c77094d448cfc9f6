"""Diagrams of workflows: Mermaid, SVG, and the bundle for notebooks."""

from __future__ import annotations

import re
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conductor_async import ConductorWorkflow
from conductor_async.models import WorkflowDef, WorkflowTask
from conductor_async.tasks import (
    DecisionTask,
    DynamicForkTask,
    EventTask,
    ForEachTask,
    ForkTask,
    LoopTask,
    NoopTask,
    SimpleTask,
    SubWorkflowTask,
    SwitchTask,
    TerminateTask,
    WaitTask,
)
from conductor_async.workflow.diagrams import to_mermaid, to_svg
from tests.fakes.recorded import recorded_definitions


def chart(*steps: Any, name: str = "w") -> list[str]:
    """The lines between the head and the end, without the start and finish nodes."""
    lines = ConductorWorkflow(name=name).add(list(steps)).to_mermaid().splitlines()
    assert lines[:3] == ["flowchart TD", f'    start(("{name}"))', '    finish((("end")))']
    return [line.removeprefix("    ") for line in lines[3:]]


def test_a_sequence_is_a_chain_of_arrows():
    assert chart(SimpleTask("a"), SimpleTask("greet", "b")) == [
        't0["a"]',
        't1["b<br/>greet"]',
        "start --> t0",
        "t0 --> t1",
        "t1 --> finish",
    ]


def test_an_empty_workflow_goes_from_start_to_finish():
    assert chart() == ["start --> finish"]


def test_a_fork_has_an_arrow_for_each_branch():
    assert chart([[NoopTask("a"), NoopTask("b")], NoopTask("c")]) == [
        't0{{"fork_a<br/>fork join"}}',
        't1["a<br/>noop"]',
        't2["b<br/>noop"]',
        't3["c<br/>noop"]',
        't4{{"join_a<br/>join"}}',
        "start --> t0",
        "t0 --> t1",
        "t1 --> t2",
        "t0 --> t3",
        "t2 --> t4",
        "t3 --> t4",
        "t4 --> finish",
    ]


def test_a_switch_has_a_labelled_arrow_for_each_case():
    switch = SwitchTask("s", "${workflow.input.x}").case("yes", SimpleTask("a")).case("no", [])
    assert chart(switch.default(TerminateTask("stop", "FAILED")), SimpleTask("b")) == [
        't0{"s<br/>$#123;workflow.input.x#125;"}',
        't1["a"]',
        't2(["stop<br/>terminate"])',
        't3["b"]',
        "start --> t0",
        't0 -->|"yes"| t1',
        't0 -->|"default"| t2',
        "t2 --> finish",
        "t1 --> t3",
        't0 -->|"no"| t3',
        "t3 --> finish",
    ]


def test_a_switch_without_a_default_continues():
    assert chart(DecisionTask("s", "$.x", use_javascript=True).case("a", NoopTask("b")))[-3:] == [
        't0 -->|"a"| t1',
        "t1 --> finish",
        't0 -->|"default"| finish',
    ]


def test_nothing_follows_a_switch_whose_cases_all_terminate():
    switch = SwitchTask("s", "x").case("a", TerminateTask("b", "FAILED")).default(TerminateTask("c", "COMPLETED"))
    assert chart(switch)[-4:] == ['t0 -->|"a"| t1', "t1 --> finish", 't0 -->|"default"| t2', "t2 --> finish"]


def test_loops_and_inline_sub_workflows_are_boxes():
    child = ConductorWorkflow(name="child") >> LoopTask("l", 3, SimpleTask("in"))
    assert chart(child, SubWorkflowTask("other", "far", 1), SimpleTask("b")) == [
        'subgraph t0["child<br/>workflow child"]',
        '    subgraph t1["l<br/>while $.l.iteration #60; 3"]',
        '        t2["in"]',
        "    end",
        "end",
        't3[["other<br/>workflow far"]]',
        't4["b"]',
        "start --> t0",
        "t0 --> t3",
        "t3 --> t4",
        "t4 --> finish",
    ]


def test_labels_say_what_a_task_does():
    lines = chart(
        WaitTask("w", wait_for_seconds=5),
        WaitTask("u", "2030-01-01"),
        EventTask("e", "conductor:x"),
        ForEachTask("each", NoopTask("n"), "${workflow.input.l}", termination_condition="$.a"),
        DynamicForkTask.of_task("many", "resize", "${workflow.input.images}"),
        DecisionTask("d", "${workflow.input.k}").case("1", []),
    )
    assert lines[:3] == [
        't0(["w<br/>wait 5s"])',
        't1(["u<br/>wait until 2030-01-01"])',
        't2>"e<br/>event conductor:x"]',
    ]
    assert lines[3] == 'subgraph t3["each<br/>for each of $#123;workflow.input.l#125; while $.a"]'
    assert 't5 -->|"one for each task"| t6' in lines
    assert 't7{"d<br/>$#123;workflow.input.k#125;"}' in lines


HOSTILE = [
    '"',
    "#quot;",
    "a]b",
    "<script>",
    "`x`",
    "a|b",
    "end",
    "1. first",
    "- last",
    "%% no",
    "a\nb",
    "\\",
    "x" * 200,
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_labels_are_escaped(text: str):
    definition = WorkflowDef(
        name=text,
        tasks=[
            WorkflowTask(
                name=text,
                task_reference_name=text,
                type="SWITCH",
                evaluator_type="graaljs",
                expression=text,
                decision_cases={text: [WorkflowTask(name=text, task_reference_name="r", type=text)]},
            )
        ],
    )
    drawn = to_mermaid(definition)
    for label in re.findall(r'"([^"]*)"', drawn):
        # What is left when line breaks and escaped characters are gone has no meaning to Mermaid.
        assert not re.search(r'["#<>`&\\{}\[\]|\n]', re.sub(r"<br/>|#\d+;", "", label))
        assert not re.match(r"(\d+[.)]|[-+*]) ", label)
        assert label
    assert drawn.count('"') == 2 * len(re.findall(r'"[^"]*"', drawn))
    assert max(map(len, drawn.splitlines())) < 800
    ET.fromstring(to_svg(definition))


@given(st.text(max_size=20))
def test_no_name_breaks_a_diagram(name: str):
    definition = WorkflowDef(name=name, tasks=[WorkflowTask(name=name, task_reference_name=name)])
    assert to_mermaid(definition).count("\n") == 6
    ET.fromstring(to_svg(definition))


def test_every_recorded_definition_has_a_diagram():
    for _, found in recorded_definitions():
        definition = WorkflowDef.model_validate(found)
        drawn = to_mermaid(definition)
        assert drawn == to_mermaid(WorkflowDef.model_validate(found))
        nodes = re.findall(r"^ +(?:subgraph )?(\w+)[\[({>]", drawn, re.MULTILINE)
        assert len(nodes) == len(set(nodes))
        arrows = re.findall(r"^ +(\w+) -->(?:\|.*\|)? (\w+)$", drawn, re.MULTILINE)
        assert {end for arrow in arrows for end in arrow} <= set(nodes)
        ET.fromstring(to_svg(definition))


def sizes(svg: str) -> tuple[float, float]:
    root = ET.fromstring(svg)
    return float(root.attrib["width"]), float(root.attrib["height"])


def test_the_svg_grows_with_the_workflow():
    one = sizes(to_svg((ConductorWorkflow(name="w") >> NoopTask("a")).to_workflow_def()))
    two = sizes(to_svg((ConductorWorkflow(name="w") >> NoopTask("a") >> NoopTask("b")).to_workflow_def()))
    beside = sizes(to_svg((ConductorWorkflow(name="w") >> [NoopTask("a"), NoopTask("b")]).to_workflow_def()))
    assert two[1] > one[1]
    assert two[0] == one[0]
    assert beside[0] > one[0]


def test_the_svg_has_no_links_and_shows_every_task():
    workflow = ConductorWorkflow(name="w<1>") >> NoopTask("a&b") >> SwitchTask("s", "x").case("'yes'", NoopTask("c"))
    svg = to_svg((workflow >> LoopTask("l", 2, ForkTask("f", [NoopTask("d")]))).to_workflow_def())
    texts = [each.text for each in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {"w<1>", "a&b", "s", "'yes'", "default", "c", "l", "f", "d", "join_f", "end"} <= set(texts)
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_a_notebook_gets_text_mermaid_and_svg():
    workflow = ConductorWorkflow(name="w") >> SimpleTask("a")
    bundle = workflow._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {"text/plain", "text/markdown", "text/vnd.mermaid", "image/svg+xml"}
    assert bundle["text/plain"] == repr(workflow)
    assert bundle["text/vnd.mermaid"] == workflow.to_mermaid()
    assert bundle["text/markdown"] == f"```mermaid\n{workflow.to_mermaid()}```\n"


def test_an_incomplete_workflow_has_a_diagram():
    clash = ConductorWorkflow() >> SimpleTask("a") >> SimpleTask("a")
    assert "image/svg+xml" in clash._repr_mimebundle_()
    assert "image/svg+xml" in (ConductorWorkflow(name="w") >> LoopTask("l", 2))._repr_mimebundle_()
    wrong = ConductorWorkflow(name="w") >> SimpleTask("a", retry_count=cast("Any", "many"))
    assert wrong._repr_mimebundle_() == {"text/plain": repr(wrong)}


def test_ipython_renders_it():
    formatters = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell.instance().display_formatter
    data, _ = formatters.format(ConductorWorkflow(name="w") >> SimpleTask("a"))
    assert data["text/vnd.mermaid"].startswith("flowchart TD")
    assert data["image/svg+xml"].startswith("<svg")

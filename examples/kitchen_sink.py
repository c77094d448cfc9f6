"""One workflow with every kind of task that a Conductor server runs by itself, and a worker beside it.

`nox -s quickstart` shows the main job. This shows how the tasks look in Python, and how they fit into each other.
It runs on a Conductor in this process, or on the server that CONDUCTOR_SERVER_URL names.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from conductor_async import ConductorClient, ConductorWorkflow, WorkerHost, worker_task
from conductor_async.embedded import client_from_env
from conductor_async.tasks import (
    ConductorEventTask,
    DoWhileTask,
    DynamicForkTask,
    DynamicTask,
    ExclusiveJoinTask,
    ForEachTask,
    HttpInput,
    HttpTask,
    InlineTask,
    JsonJQTask,
    LoopTask,
    NoopTask,
    SetVariableTask,
    SimpleTask,
    StartWorkflowTask,
    SwitchTask,
    TerminateTask,
    WaitForDurationTask,
    WaitUntilTask,
)


@worker_task(task_definition_name="kitchen_sink_cook")
async def cook(dish: str) -> dict[str, str]:
    return {"served": f"hot {dish}"}


def describe_dessert() -> ConductorWorkflow:
    """A workflow to be run by the other: `>>` takes it like a task."""
    dessert = ConductorWorkflow(name="kitchen_sink_dessert", version=1)
    dessert.input_parameters({"sweet": "cake"})
    dessert >> InlineTask("bake", "'fresh ' + $.sweet", {"sweet": dessert.input.sweet})
    return dessert.output_parameters({"served": "${bake.output.result}"})


def describe(conductor: ConductorClient) -> ConductorWorkflow:
    workflow = ConductorWorkflow(executor=conductor.executor, name="kitchen_sink", version=1)
    workflow.variables({"guests": 0})

    # Data, worked on inside the server.
    count = InlineTask("count", "$.names.length", {"names": workflow.input.guests})
    upper = JsonJQTask("upper", "[.names[] | ascii_upcase]", {"names": workflow.input.guests})
    note = SetVariableTask("note", {"guests": count.result})

    # A service, asked from the server.
    url = conductor.configuration.server_api_url.removesuffix("/api")
    health = HttpTask("health", HttpInput(uri=f"{url}/health", read_timeout=10))

    # Side by side: a task of a worker, a sequence, another workflow. The join comes by itself.
    soup = SimpleTask("kitchen_sink_cook", "soup", input_parameters={"dish": "soup"})
    pause = WaitForDurationTask("pause", 1)
    late = WaitUntilTask("late", datetime(2020, 1, 1, tzinfo=UTC))  # past: goes on at once
    courses = [soup, pause >> late, describe_dessert()]

    # One of several, and what it gave.
    mood = SwitchTask("mood", "$.guests > 2 ? 'party' : 'quiet'", use_javascript=True)
    mood.input_parameters["guests"] = workflow.variables.guests
    mood.case("party", InlineTask("loud", "'music'")).case("quiet", [NoopTask("hush"), InlineTask("soft", "'a book'")])
    evening = ExclusiveJoinTask("evening", ["loud", "soft"])

    # Again and again: while a condition holds, a number of times, for each of a list.
    ask = InlineTask("ask", "$.n * 2")
    until = DoWhileTask("until", "$.ask.result < 4", ask)
    ask.input_parameters["n"] = until.iteration
    rounds = LoopTask("rounds", 2, NoopTask("toast"))
    greet = ForEachTask("greet", iterate_over=upper.result)
    greet.tasks = InlineTask("hello", "'Hello, ' + $.name", {"name": greet.item})

    # Side by side, as many as there are; and a task whose type is known only when it runs.
    letters = DynamicForkTask.of_workflow("letters", "kitchen_sink_dessert", [{"sweet": "pie"}, {"sweet": "tart"}], 1)
    surprise = DynamicTask(workflow.input.surprise, "surprise")

    # Word to the outside, and the end.
    tell = ConductorEventTask("tell", "dinner_served", input_parameters={"guests": workflow.variables.guests})
    after = StartWorkflowTask("after", "kitchen_sink_dessert", {"input": {"sweet": "mints"}}, version=1)
    end = TerminateTask(
        "end",
        "COMPLETED",
        "everybody is served",
        {
            "guests": workflow.variables.guests,
            "healthy": health.body.healthy,
            "soup": soup.output.served,
            "evening": evening.output.result,
            "asked": until.iteration,
            "toasts": rounds.iteration,
            "greeted": greet.iteration,
            "letters": letters.join_output,
            "afterwards": after.workflow_id,
        },
    )

    workflow >> count >> upper >> note >> health >> courses >> mood >> evening
    return workflow >> until >> rounds >> greet >> letters >> surprise >> tell >> after >> end


async def main() -> None:
    async with client_from_env() as conductor:
        dessert = describe_dessert()
        dessert.executor = conductor.executor
        await dessert.register(overwrite=True)
        workflow = describe(conductor)
        await workflow.register(overwrite=True)
        async with WorkerHost(conductor, [cook]):
            run = await workflow.execute({"guests": ["Ada", "Grace", "Edsger"], "surprise": "NOOP"}, timeout=120)
        for task in run.tasks:
            print(f"{task.reference_task_name:<24} {task.task_type:<18} {task.status}")
        run.raise_for_status()
        print(run.output)


if __name__ == "__main__":
    asyncio.run(main())

"""`@worker_task`: the worker that it makes of a function, and the errors of its options."""

from __future__ import annotations

import functools
import inspect
import sys
from datetime import timedelta

import pytest

from conductor_async.errors import ConfigurationError
from conductor_async.worker import WorkerOptions, worker_task


@worker_task("greet")
async def greet(name: str, times: int = 1) -> str:
    """Says hello."""
    return f"Hello, {name}! " * times


@worker_task(task_definition_name="add")
def add(a: int, b: int = 2) -> int:
    return a + b


class TestStillTheFunction:
    @pytest.mark.asyncio
    async def test_calling_it_calls_the_function(self):
        assert await greet("Ada") == "Hello, Ada! "
        assert add(1) == 3

    def test_it_keeps_name_doc_and_signature(self):
        assert greet.__name__ == "greet"
        assert greet.__doc__ == "Says hello."
        assert greet.__wrapped__ is greet.function
        assert list(inspect.signature(greet).parameters) == ["name", "times"]
        assert repr(add) == "<worker 'add': add>"

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="Python marks coroutine functions from 3.12 on")
    def test_inspect_knows_it_as_a_coroutine_function(self):
        assert inspect.iscoroutinefunction(greet)
        assert not inspect.iscoroutinefunction(add)

    def test_the_name_defaults_to_the_functions(self):
        assert worker_task()(add.function).task_definition_name == "add"


class TestTask:
    def test_task_makes_a_task_that_calls_the_worker(self):
        task = greet.task("ref", "Ada", times=3)
        assert task.task_def_name == "greet"
        assert task.task_reference_name == "ref"
        assert task.input_parameters == {"name": "Ada", "times": 3}

    def test_defaults_are_not_sent(self):
        assert greet.task("ref", name="${workflow.input.name}").input_parameters == {"name": "${workflow.input.name}"}

    def test_kwargs_become_separate_inputs(self):
        @worker_task()
        def collect(first: int, **others: int) -> None: ...

        assert collect.task("ref", 1, b=2, c=3).input_parameters == {"first": 1, "b": 2, "c": 3}

    def test_missing_and_misspelt_arguments_are_errors(self):
        with pytest.raises(TypeError, match=r"greet\.task\('ref', …\): missing a required argument: 'name'"):
            greet.task("ref")  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="unexpected keyword argument 'nmae'"):
            greet.task("ref", name="Ada", nmae="x")  # type: ignore[call-arg]

    def test_conductor_pythons_task_ref_name_makes_a_task(self):
        task = greet(task_ref_name="ref", name="Ada")  # type: ignore[call-arg]
        assert (task.task_def_name, task.task_reference_name) == ("greet", "ref")
        assert task.input_parameters == {"name": "Ada"}

    def test_task_ref_name_is_an_argument_if_the_function_has_such_a_parameter(self):
        @worker_task()
        def f(task_ref_name: str) -> str:
            return task_ref_name

        assert f(task_ref_name="x") == "x"


class TestOptions:
    def test_defaults(self):
        assert greet.options == WorkerOptions()

    def test_durations_are_seconds_or_timedelta(self):
        worker = worker_task("t", poll_interval=timedelta(seconds=2), poll_timeout=0.5)(add.function)
        assert (worker.options.poll_interval, worker.options.poll_timeout) == (2.0, 0.5)

    def test_poll_interval_millis_is_in_milliseconds(self):
        assert worker_task("t", poll_interval_millis=250)(add.function).options.poll_interval == 0.25

    def test_thread_count_is_another_name_for_concurrency(self):
        assert worker_task("t", thread_count=5)(add.function).options.concurrency == 5

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"poll_timeout": 100}, "in seconds here.*did you mean 0.1"),
            ({"poll_timeout": 0}, "poll_timeout must be more than 0"),
            ({"poll_interval": -1}, "poll_interval must be at least 0"),
            ({"poll_interval": 1, "poll_interval_millis": 1000}, "not both"),
            ({"concurrency": 0}, "at least 1"),
            ({"concurrency": True}, "at least 1"),
            ({"concurrency": 2, "thread_count": 3}, "two names of the same option"),
        ],
    )
    def test_invalid_options_are_errors(self, options, message):
        with pytest.raises(ConfigurationError, match=message):
            worker_task("t", **options)

    @pytest.mark.parametrize("name", ["", " ", "a/b", "..", "HTTP", "WAIT"])
    def test_invalid_names_are_errors(self, name):
        decorate = worker_task(name or " ")
        with pytest.raises(ConfigurationError):
            decorate(add.function)

    def test_a_decorator_without_parentheses_is_an_error(self):
        with pytest.raises(ConfigurationError, match="with parentheses"):
            worker_task(add.function)  # type: ignore[arg-type]

    def test_generators_are_errors(self):
        async def stream():
            yield 1

        with pytest.raises(ConfigurationError, match="generator"):
            worker_task("stream")(stream)


class TestCallables:
    def test_methods_partials_and_callable_objects(self):
        class Shop:
            def __init__(self):
                self.options = "mine"

            async def sell(self, what: str, price: int): ...

            async def __call__(self, what: str): ...

            def count(self, what: str): ...

        shop = Shop()
        assert worker_task("sell")(shop.sell).is_async
        assert worker_task("sell")(functools.partial(shop.sell, price=1)).is_async
        assert not worker_task("count")(shop.count).is_async
        worker = worker_task("shop")(shop)
        assert worker.is_async
        assert worker.options == WorkerOptions()
        assert worker_task()(shop.sell).task_definition_name == "sell"

    def test_a_worker_can_be_decorated_again(self):
        other = worker_task("welcome")(greet)
        assert other.task_definition_name == "welcome"
        assert other.function is greet.function
        assert other.is_async

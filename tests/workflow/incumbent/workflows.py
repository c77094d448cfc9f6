"""conductor-python's other examples, as they are written here."""

from __future__ import annotations

from conductor_async import ConductorWorkflow, TaskDef, worker_task
from conductor_async.models import StateChangeEvent
from conductor_async.tasks import (
    DecisionTask,
    ForkTask,
    HttpInput,
    HttpPollInput,
    HttpPollTask,
    HttpTask,
    JavascriptTask,
    JoinTask,
    JsonJQTask,
    SetVariableTask,
    SimpleTask,
    SwitchTask,
    TerminateTask,
    WaitTask,
    wait_for_webhook,
)

URL = "https://shop.example/api"


@worker_task("get_user_email")
def get_user_email(userid: str) -> str:
    raise NotImplementedError


@worker_task("send_email")
def send_email(email: str, subject: str, body: str) -> None:
    raise NotImplementedError


@worker_task("greet")
def greet(name: str) -> str:
    raise NotImplementedError


@worker_task("route")
def route(country: str) -> str:
    raise NotImplementedError


@worker_task("fastapi_normalize_name")
def normalize_name(name: str) -> str:
    raise NotImplementedError


@worker_task("fastapi_add_numbers")
def add_numbers(a: int, b: int) -> int:
    raise NotImplementedError


@worker_task("fastapi_build_message")
def build_message(normalized_name: str, total: int) -> dict[str, object]:
    raise NotImplementedError


# -- first steps -------------------------------------------------------------------------------------


def greetings() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="greetings", version=1)
    return workflow >> greet.task("greet_ref", workflow.input.name)


def mails(workflow: ConductorWorkflow) -> tuple[SimpleTask[str], SimpleTask[None]]:
    find = get_user_email.task("get_user_email_ref", workflow.input.userid)
    return find, send_email.task("send_email_ref", find.result, "Good morning", "It is a test.")


def dynamic_workflow() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="dynamic_workflow", version=1)
    find, send = mails(workflow)
    workflow >> find >> send
    return workflow.output_parameters({"email": find.result})


def webhook() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="wait_for_webhook", version=1)
    find, send = mails(workflow)
    matches = {"$['type']": "customer", "$['id']": workflow.input.userid}
    return workflow >> find >> send >> wait_for_webhook("wait_ref", matches)


def of_a_web_service() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="fastapi_hello_workflow", version=1)
    name = normalize_name.task("normalize_name_ref", workflow.input.name)
    total = add_numbers.task("add_numbers_ref", workflow.input.a, workflow.input.b)
    message = build_message.task("build_message_ref", name.result, total.result)
    workflow >> name >> total >> message
    return workflow.output_parameters({key: message.output[key] for key in ("message", "normalized_name", "total")})


# -- every kind of task ------------------------------------------------------------------------------


def kitchen_sink(url: str = URL) -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="kitchensink2", version=1)
    script = JavascriptTask(
        "hello_script",
        f"(function () {{ return {{text: 'hello ' + $.name, url: '{url}'}} }})()",
        {"name": workflow.input.name},
    )
    script.evaluator_type = "javascript"
    child = ConductorWorkflow(name="sub0")
    child >> HttpTask("call_remote_api", HttpInput(uri=child.input.uri)) >> WaitTask("wait_forever", wait_for_seconds=2)
    child.input_parameters({"uri": script.result.url})
    call = HttpTask("call_remote_api", HttpInput(uri=url))
    query = JsonJQTask("jq_process", "{ key3: (.key1.value1 + .key2.value2) }")
    query.input_parameters |= {"key1": {"value1": ["a", "b"]}, "key2": {"value2": ["d", "e"]}}
    note = SetVariableTask("set_wf_var_ref", {"var1": "value1", "var2": 42, "var3": ["a", "b", "c"]})
    decide = SwitchTask("decide", workflow.input.country)
    for code, ref in (("US", "us_routing"), ("CA", "ca_routing")):
        decide.case(code, route.task(ref, workflow.input.country))
    decide.default(TerminateTask("bad_country_Ref", "TERMINATED", "no way there"))
    workflow >> script >> [child, call >> WaitTask("wait_for_2_sec", wait_for_seconds=2)] >> query >> note >> decide
    return workflow.output_parameters({"greetings": script.result})


def fork_with_a_script() -> ConductorWorkflow:
    calls = [HttpTask(f"http_{n}", HttpInput(uri=f"{URL}2"), optional=True) for n in range(10)]
    script = "$.joinOn.every(each => $[each].status.startsWith('COMPLETED')) ? true : {status: 'IN_PROGRESS'}"
    workflow = ConductorWorkflow(name="fork_join_example", version=1)
    return workflow >> ForkTask("fork", calls) >> JoinTask("join", join_on_script=script)


def poll_by_http() -> ConductorWorkflow:
    until = "(function () { return $.output.response.body.randomInt < 10 })()"
    request = HttpPollInput(until, polling_interval=1000, polling_strategy="EXPONENTIAL_BACKOFF", uri=URL)
    return ConductorWorkflow(name="http_poll_example_<uuid>") >> HttpPollTask("http_poll_ref", request)


def updates() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="sync_task_variable_updates", version=1)
    choose = SwitchTask("switch_ref", workflow.variables.case)
    choose.case("case1", WaitTask("wait_task_ref_1")).case("case2", WaitTask("wait_task_ref_2"))
    return workflow >> HttpTask("http_ref", HttpInput(uri=URL)) >> WaitTask("wait_task_ref") >> choose


def unit_tested() -> ConductorWorkflow:
    call = HttpTask("http", {"uri": URL})
    first, second, third = (SimpleTask("hello", f"hello_ref_{n}") for n in (1, 2, 3))
    choose = SwitchTask("switch_ref", first.output.city).case("NYC", second).default(third)
    return ConductorWorkflow(name="unit_testing_example", version=1) >> call >> first >> choose


def signals() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="workflow_signals_demo", version=1)
    workflow >> WaitTask("wait_for_2_sec", wait_for_seconds=2) >> WaitTask("wait_for_signal")
    return workflow >> HttpTask("call_remote_api", {"uri": URL})


def listened_to() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="workflow_status_listener_demo", version=1)
    return (workflow >> HttpTask("http_ref", {"uri": URL})).enable_status_listener("kafka:abcd")


def audited() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="test_audit_logs", version=1)

    def told(name: str) -> StateChangeEvent:
        payload = {"workflow_input": str(workflow.input), "status": f"${{{name}.status}}", "name": name}
        return StateChangeEvent(type="audit_log", payload=payload)

    first = SimpleTask("simple_task_1", "simple_task_1_ref")
    first.on_state_change = {"onStart": [told("simple_task_1_ref")]}
    second = SimpleTask("simple_task_2", "simple_task_2_ref")
    second.task_definition = TaskDef(name="simple_task_2", retry_count=0)
    second.on_state_change = {"onScheduled,onStart,onFailed": [told("simple_task_2_ref")]}
    return workflow >> first >> second


def long_task() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="lease_extension_demo", version=1)
    name = "lease_heartbeat_demo_task"
    return workflow >> SimpleTask(name, f"{name}_ref", input_parameters={"job_id": workflow.input.job_id})


# -- definitions to store, by way of a story -------------------------------------------------------------


def described(name: str, *inputs: str) -> ConductorWorkflow:
    workflow = ConductorWorkflow(name=name, version=1, description="What it is for")
    return workflow.input_parameters(*inputs) if inputs else workflow


def simple(name: str, ref: str, **inputs: object) -> SimpleTask:
    return SimpleTask(name, ref, input_parameters=inputs)


def enrollment() -> ConductorWorkflow:
    workflow = described("course_enrollment", "student_id", "course_id", "payment_method")
    for name in ("validate_enrollment", "process_payment", "assign_instructor", "send_welcome_email"):
        workflow >> simple(name, f"{name}_ref")
    return workflow


def enrollment_oss() -> ConductorWorkflow:
    workflow = described("enrollment_basic_oss_<now>", "student_id", "course_id", "payment_method", "student_email")
    steps = {
        "validate_enrollment": "validate",
        "process_payment": "payment",
        "assign_instructor": "instructor",
        "send_notification": "notification",
        "setup_course": "setup",
    }
    for name, ref in steps.items():
        workflow >> simple(f"{name}_oss", f"{ref}_ref")
    return workflow


def assessment() -> ConductorWorkflow:
    workflow = described("student_assessment", "student_id", "course_id", "assignment_ids").timeout_seconds(3600)
    given = workflow.input
    grade = simple(
        "grade_assignment", "grade_first_assignment", assignment_id=given.assignment_ids[0], student_id=given.student_id
    )
    choose = DecisionTask("check_grade", grade.output.grade, name="DECISION")
    for case, path in {"A": "advanced", "B": "intermediate"}.items():
        choose.case(case, simple("setup_learning_path", f"{path}_path", level=path))
    choose.default(simple("setup_learning_path", "basic_path", level="basic"))
    return workflow >> grade >> choose


def assessment_oss() -> ConductorWorkflow:
    workflow = described("assessment_workflow_oss_<now>", "student_id", "course_id", "test_results")
    given = workflow.timeout_seconds(3600).input
    grade = simple("evaluate_student_oss", "evaluation", student_id=given.student_id, test_results=given.test_results)

    def tell(ref: str, kind: str) -> SimpleTask:
        return simple("send_notification_oss", ref, message_type=kind, content="How it went")

    choose = DecisionTask("grade_decision", grade.output.grade, name="DECISION")
    choose.case("A", tell("notify_excellence", "excellence")).case("B", tell("notify_good", "good_performance"))
    choose.case("C", simple("setup_course_oss", "remedial_setup", course_id=f"remedial_{given.course_id}"))
    choose.default(tell("notify_retry", "retry_required"))
    return workflow >> grade >> choose


def completion() -> ConductorWorkflow:
    grade = simple("grade_assignment", "final_grade", type="final_exam")
    certify = simple("send_welcome_email", "send_certificate", type="certificate")
    fork = ForkTask("parallel_completion_tasks", [grade, certify], name="FORK_JOIN")
    return described("course_completion") >> fork >> JoinTask("join_completion", name="JOIN")


def onboarding() -> ConductorWorkflow:
    workflow = described("student_onboarding_oss_<now>", "student_id", "course_id", "student_email")
    given = workflow.input
    ids = {"student_id": given.student_id, "course_id": given.course_id}
    branches = [
        simple("setup_course_oss", "course_setup", **ids),
        simple(
            "send_notification_oss",
            "welcome_email",
            student_email=given.student_email,
            message_type="welcome",
            content="Good to have you",
        ),
        simple("assign_instructor_oss", "assign", course_id=given.course_id, student_level="beginner"),
    ]
    workflow >> simple("validate_enrollment_oss", "validate", **ids)
    return (
        workflow
        >> ForkTask("parallel_onboarding", branches, name="FORK_JOIN")
        >> JoinTask("join_onboarding", name="JOIN")
    )


def adaptive() -> ConductorWorkflow:
    workflow = described("adaptive_learning", "student_id", "course_id", "assessment_score")
    choose = SwitchTask("determine_path", workflow.input.assessment_score, name="SWITCH")
    choose.case(
        "90-100",
        simple("setup_learning_path", "advanced_curriculum", difficulty="advanced", pace="accelerated")
        >> simple("assign_instructor", "senior_instructor", level="senior"),
    )
    choose.case("70-89", simple("setup_learning_path", "standard_curriculum", difficulty="intermediate", pace="normal"))
    choose.case(
        "50-69",
        simple("setup_learning_path", "remedial_curriculum", difficulty="basic", pace="slow", extra_support=True)
        >> simple("send_welcome_email", "notify_support", type="support_needed", priority="high"),
    )
    choose.default(simple("validate_enrollment", "review_eligibility", review_type="manual"))
    workflow >> choose
    return workflow.failure_workflow("enrollment_failure_handler").restartable(True).enable_status_listener()


def scheduled_orders() -> ConductorWorkflow:
    steps = simple("fetch_pending_orders", "fetch_orders_ref") >> simple("process_batch", "process_batch_ref")
    return described("scheduled_order_processing") >> steps


def scheduled_inventory() -> ConductorWorkflow:
    return described("scheduled_inventory_check") >> simple("scan_inventory", "scan_inventory_ref")


def scheduled_report() -> ConductorWorkflow:
    return described("scheduled_report_generation") >> simple("generate_report", "generate_report_ref")


EXAMPLES = {
    make().name: make
    for make in (
        adaptive,
        assessment,
        assessment_oss,
        audited,
        completion,
        dynamic_workflow,
        enrollment,
        enrollment_oss,
        fork_with_a_script,
        greetings,
        kitchen_sink,
        listened_to,
        long_task,
        of_a_web_service,
        onboarding,
        poll_by_http,
        scheduled_inventory,
        scheduled_orders,
        scheduled_report,
        signals,
        unit_tested,
        updates,
        webhook,
    )
}

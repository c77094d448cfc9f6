"""conductor-python's examples around models and agents, as they are written here."""

from __future__ import annotations

from conductor_async import ConductorWorkflow, worker_task
from conductor_async.models import TimeoutPolicy
from conductor_async.tasks import (
    CallMcpTool,
    ChatMessage,
    DynamicTask,
    EmbeddingModel,
    ListMcpTools,
    LlmChatComplete,
    LlmIndexText,
    LlmSearchIndex,
    LoopTask,
    Role,
    SetVariableTask,
    SimpleTask,
    SwitchTask,
    WaitForDurationTask,
    WaitTask,
)

MINI = ("openai", "gpt-4o-mini")
MCP = "http://localhost:3001/mcp"


def system(text: str) -> ChatMessage:
    return ChatMessage(Role.SYSTEM, text)


def user(text: object) -> ChatMessage:
    return ChatMessage(Role.USER, str(text))


def ends_after(workflow: ConductorWorkflow, seconds: int) -> ConductorWorkflow:
    return workflow.timeout_seconds(seconds).timeout_policy(TimeoutPolicy.TIME_OUT_WF)


# -- tools that are workers --------------------------------------------------------------------------


def agentic_workflow() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="python_agent_workflow", version=1)
    ask = WaitTask("get_user_input")
    remember = SetVariableTask("collect_history_ref")
    remember.input_parameters |= {"messages": [user(ask.output.question)], "_merge": True}
    think = LlmChatComplete(
        "chat_complete_ref",
        "openai",
        "gpt-4",
        workflow.variables.messages,
        "instructions",
        max_tokens=1000,
        temperature=0,
    )
    call = DynamicTask(think.output.function, "fn_call_ref")
    call.input_parameters |= {"inputs": think.output.function_parameters, "dynamicTaskInputParam": "inputs"}
    decide = SwitchTask("check_function_call", "$.type == 'function' ? 'call_function' : 'direct_response'", True)
    decide.input_parameter("type", think.output.type).case("call_function", call).default([])
    note = SetVariableTask("update_history_ref")
    note.input_parameters |= {"messages": [ChatMessage(Role.ASSISTANT, think.output.result)], "_merge": True}
    workflow >> LoopTask("agent_loop", 10, ask >> remember >> think >> decide >> note)
    return ends_after(workflow, 300)


@worker_task("dispatch_function")
def dispatch_function(llm_response: object) -> dict[str, object]:
    raise NotImplementedError


def function_calling() -> ConductorWorkflow:
    ask = WaitTask("get_user_input")
    messages = [system("You have tools. Answer with the one to call."), user(ask.output.question)]
    think = LlmChatComplete("chat_complete_ref", *MINI, messages, max_tokens=500, temperature=0, json_output=True)
    act = dispatch_function.task("fn_call_ref", llm_response=think.output.result)
    workflow = ConductorWorkflow(name="function_calling_demo", version=1) >> LoopTask("loop", 5, ask >> think >> act)
    return ends_after(workflow, 300)


# -- chats -------------------------------------------------------------------------------------------


@worker_task("chat_collect_history")
def collect_history(
    user_input: str | None, seed_question: str | None, assistant_response: str | None, history: object
) -> list[dict[str, str]]:
    raise NotImplementedError


def chat() -> ConductorWorkflow:
    begin = LlmChatComplete(
        "gen_question_ref",
        *MINI,
        [system("You know all of science."), user("Ask me about a discovery.")],
        temperature=0.7,
    )
    answer = LlmChatComplete("chat_complete_ref", *MINI)
    go_on = LlmChatComplete("followup_question_ref", *MINI, temperature=0.7)
    collect = collect_history.task(
        "collect_history_ref",
        user_input=go_on.output.result,
        seed_question=begin.output.result,
        assistant_response=answer.output.result,
        history=answer.input.messages,
    )
    answer.messages = collect.output.result
    context = f"What was said: {answer.output.result}\nWhat was asked: {collect.input.history}"
    go_on.messages = [system("You know all of science. Ask on, and never the same."), user(context)]
    workflow = ConductorWorkflow(name="llm_chat_demo", version=1)
    workflow >> begin >> LoopTask("loop", 3, collect >> answer >> go_on)
    return ends_after(workflow, 120)


@worker_task("human_chat_collect_history")
def collect_human_history(
    user_input: str | None, assistant_response: str | None, history: object
) -> list[dict[str, str]]:
    raise NotImplementedError


def chat_with_a_human() -> ConductorWorkflow:
    ask = WaitTask("user_input_ref")
    answer = LlmChatComplete("chat_complete_ref", *MINI)
    collect = collect_human_history.task(
        "collect_history_ref", ask.output.question, answer.output.result, answer.input.messages
    )
    answer.messages = collect.output.result
    workflow = ConductorWorkflow(name="llm_chat_human_in_loop", version=1)
    workflow >> LoopTask("loop", 5, ask >> collect >> answer)
    return ends_after(workflow, 300)


@worker_task("build_moderator_messages")
def build_messages(system_prompt: str, history: object) -> list[dict[str, str]]:
    raise NotImplementedError


@worker_task("update_multiagent_history")
def update_history(
    history: object, moderator_message: str | None, agent_name: str | None, agent_response: str | None
) -> list[dict[str, str]]:
    raise NotImplementedError


def panel() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="multiagent_chat_demo", version=1)
    given, known = workflow.input, workflow.variables
    begin = SetVariableTask("init_ref", {"history": [user(f"Talk about {given.topic}")], "last_speaker": ""})
    prompt = f"You lead the talk of {given.agent1_name} and {given.agent2_name}. {known.last_speaker} spoke last."
    collect = build_messages.task("build_mod_msgs_ref", prompt, known.history)
    lead = LlmChatComplete(
        "moderator_ref", *MINI, collect.output.result, max_tokens=500, temperature=0.7, json_output=True
    )

    def turn(number: int) -> list[LlmChatComplete | SimpleTask | SetVariableTask]:
        name = given[f"agent{number}_name"]
        messages = [system(f"You are {name}, and the talk is about {given.topic}."), user(lead.output.result.result)]
        speak = LlmChatComplete(f"agent{number}_ref", *MINI, messages, max_tokens=400, temperature=0.8)
        note = update_history.task(
            f"update_hist{number}_ref", known.history, lead.output.result.result, name, speak.output.result
        )
        save = SetVariableTask(f"save_var{number}_ref", {"history": note.output.result, "last_speaker": name})
        return [speak, note, save]

    script = "($.user || '').toLowerCase().indexOf(($.a2 || '').toLowerCase()) >= 0 ? 'agent2' : 'agent1'"
    route = SwitchTask("route_ref", script, use_javascript=True).case("agent1", turn(1)).case("agent2", turn(2))
    route.input_parameters |= {"user": lead.output.result.user, "a1": given.agent1_name, "a2": given.agent2_name}
    workflow >> begin >> LoopTask("loop", 4, collect >> lead >> route)
    return ends_after(workflow, 600)


# -- tools by MCP, and what vectors find -----------------------------------------------------------------


def mcp_agent() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="mcp_ai_agent", version=1, description="An agent with the tools of a server")
    discover = ListMcpTools("discover_tools", MCP)
    offer = f"The tools: {discover.output.tools}\nThe wish: {workflow.input.request}\nChoose one."
    plan = LlmChatComplete(
        "plan_action",
        "anthropic",
        "claude-sonnet-4-20250514",
        [system(offer), user("Which tool is it?")],
        temperature=0.1,
        max_tokens=500,
        json_output=True,
    )
    chosen = plan.output.result
    act = CallMcpTool("execute_tool", MCP, chosen.method, chosen.arguments)
    told = f"{workflow.input.request} was done by {chosen.method} ({chosen.reasoning}) and gave {act.output.content}"
    summarize = LlmChatComplete(
        "summarize_result", *MINI, [system(told), user("Sum it up, please.")], temperature=0.3, max_tokens=300
    )
    return workflow >> discover >> plan >> act >> summarize


def weather() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="simple_weather_query", version=1, description="The weather, by a tool")
    return workflow >> CallMcpTool("get_weather", MCP, "get_current_weather", {"city": workflow.input.city})


def documents() -> ConductorWorkflow:
    workflow = ConductorWorkflow(name="rag_document_pipeline", version=1, description="Answers out of a document")
    given = workflow.timeout_seconds(600).input
    small = EmbeddingModel("openai", "text-embedding-3-small")
    convert = SimpleTask("convert_to_markdown", "convert_doc_ref", input_parameters={"file_path": given.file_path})
    index = LlmIndexText(
        "index_doc_ref",
        "postgres-prod",
        "demo_index",
        small,
        convert.output.markdown,
        convert.output.doc_id,
        "demo_namespace",
        document_metadata={"title": convert.output.title, "source": given.file_path},
        dimensions=1536,
        chunk_size=1024,
        chunk_overlap=128,
    )
    search = LlmSearchIndex(
        "search_index_ref",
        "postgres-prod",
        "demo_namespace",
        "demo_index",
        small.provider,
        small.model,
        given.question,
        max_results=5,
        dimensions=1536,
    )
    told = system(f"Answer by nothing but this: {search.output.result}")
    answer = LlmChatComplete(
        "generate_answer_ref", *MINI, [told, user(given.question)], temperature=0.2, max_tokens=1024
    )
    workflow >> convert >> index >> WaitForDurationTask("wait_for_index_ref", 5) >> search >> answer
    return workflow.output_parameters(
        {
            "indexing_status": index.output,
            "retrieved_context": search.output.result,
            "final_answer": answer.output.result,
        }
    )


def vectors() -> ConductorWorkflow:
    provider, question = "open_ai_me", "what does it say first?"
    search = LlmSearchIndex(
        "search_vectordb",
        "pinecone_me",
        "us_constitution",
        "test",
        provider,
        "text-embedding-ada-002",
        question,
        max_results=2,
    )
    answer = LlmChatComplete("chat_complete_ref", provider, "gpt-4", [user(question)], "us_constitution_qna")
    answer.prompt_variable("text", search.output("result..text")).prompt_variable("question", question)
    return ConductorWorkflow(name="test_vector_db", version=1) >> search >> answer


EXAMPLES = {
    "python_agent_workflow": agentic_workflow,
    "function_calling_demo": function_calling,
    "llm_chat_demo": chat,
    "llm_chat_human_in_loop": chat_with_a_human,
    "multiagent_chat_demo": panel,
    "mcp_ai_agent": mcp_agent,
    "simple_weather_query": weather,
    "rag_document_pipeline": documents,
    "test_vector_db": vectors,
}

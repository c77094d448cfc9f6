"""AI tasks: models, vectors, media, agents. The test server has no AI, so these are stored and fetched, not run."""

from __future__ import annotations

import pytest

from conductor_async import ConductorWorkflow
from conductor_async.tasks import (
    AgentTask,
    CallMcpTool,
    CancelAgent,
    ChatMessage,
    EmbeddingModel,
    GenerateAudio,
    GenerateImage,
    GeneratePdf,
    GenerateVideo,
    GetAgentCard,
    GetDocument,
    ListMcpTools,
    LlmChatComplete,
    LlmGenerateEmbeddings,
    LlmIndexDocument,
    LlmIndexText,
    LlmQueryEmbeddings,
    LlmSearchEmbeddings,
    LlmSearchIndex,
    LlmStoreEmbeddings,
    LlmTextComplete,
    Role,
    ToolCall,
    ToolSpec,
)

q = ConductorWorkflow(name="w").input.q
MODEL = {"llmProvider": "openai", "model": "m"}
VECTORS = {"vectorDB": "pg", "index": "i"}
EMBEDDING = {"embeddingModelProvider": "openai", "embeddingModel": "e"}
ADA = EmbeddingModel("openai", "e")

# Each task, and what it puts on the wire: name, type, input parameters.
CASES = {
    "text": (
        LlmTextComplete("t", "openai", "m", "hello", prompt_version=2, stop_words=["."], top_p=0.5, task_name="mine"),
        (
            "mine",
            "LLM_TEXT_COMPLETE",
            {**MODEL, "promptName": "hello", "promptVersion": 2, "stopWords": ["."], "topP": 0.5},
        ),
    ),
    "prompt variables": (
        LlmTextComplete("t", "openai", "m", "hello").prompt_variable("a", q).with_prompt_variables({"b": 2}),
        (
            "llm_text_complete",
            "LLM_TEXT_COMPLETE",
            {**MODEL, "promptName": "hello", "promptVariables": {"a": "${workflow.input.q}", "b": 2}},
        ),
    ),
    "chat": (
        LlmChatComplete(
            "t",
            "openai",
            "m",
            [ChatMessage(Role.USER, q, ["https://a.example/cat.png"], tool_calls=[ToolCall("look", "ref")])],
            "You are kind.",
            {"a": 1},
            tools=[ToolSpec("look", input_schema={"type": "object"}), {"name": "hear"}],
            json_output=True,
            max_tokens=50,
            thinking_token_limit=10,
            web_search=True,
            participants={"Ada": "user"},
        ),
        (
            "llm_chat_complete",
            "LLM_CHAT_COMPLETE",
            {
                **MODEL,
                "messages": [
                    {
                        "role": "user",
                        "message": "${workflow.input.q}",
                        "media": ["https://a.example/cat.png"],
                        "toolCalls": [{"name": "look", "taskReferenceName": "ref", "type": "SIMPLE"}],
                    }
                ],
                "instructions": "You are kind.",
                "promptVariables": {"a": 1},
                "tools": [{"name": "look", "type": "SIMPLE", "inputSchema": {"type": "object"}}, {"name": "hear"}],
                "jsonOutput": True,
                "maxTokens": 50,
                "thinkingTokenLimit": 10,
                "webSearch": True,
                "participants": {"Ada": "user"},
            },
        ),
    ),
    "embeddings": (
        LlmGenerateEmbeddings("t", "openai", "m", q, 512),
        (
            "llm_generate_embeddings",
            "LLM_GENERATE_EMBEDDINGS",
            {**MODEL, "text": "${workflow.input.q}", "dimensions": 512},
        ),
    ),
    "index text": (
        LlmIndexText("t", "pg", "i", ADA, "text", "id", "n", document_metadata={"a": 1}, chunk_size=9),
        (
            "llm_index_text",
            "LLM_INDEX_TEXT",
            {
                **VECTORS,
                **EMBEDDING,
                "namespace": "n",
                "text": "text",
                "docId": "id",
                "metadata": {"a": 1},
                "chunkSize": 9,
            },
        ),
    ),
    "index document": (
        LlmIndexDocument("t", "pg", "n", ADA, "i", "https://a.example", "text/html", 9, 1, "id", dimensions=5),
        (
            "llm_index_text",
            "LLM_INDEX_TEXT",
            {
                **VECTORS,
                **EMBEDDING,
                "namespace": "n",
                "url": "https://a.example",
                "mediaType": "text/html",
                "chunkSize": 9,
                "chunkOverlap": 1,
                "docId": "id",
                "dimensions": 5,
            },
        ),
    ),
    "store": (
        LlmStoreEmbeddings("t", "pg", "i", q, "n", "id", {"a": 1}, "e", "openai"),
        (
            "llm_store_embeddings",
            "LLM_STORE_EMBEDDINGS",
            {
                **VECTORS,
                **EMBEDDING,
                "embeddings": "${workflow.input.q}",
                "namespace": "n",
                "id": "id",
                "metadata": {"a": 1},
            },
        ),
    ),
    "search index": (
        LlmSearchIndex("t", "pg", "n", "i", "openai", "e", q),
        (
            "llm_search_index",
            "LLM_SEARCH_INDEX",
            {**VECTORS, **EMBEDDING, "namespace": "n", "query": "${workflow.input.q}", "maxResults": 1},
        ),
    ),
    "search embeddings": (
        LlmSearchEmbeddings("t", "pg", "i", [0.1], "n", 3, 5, "e", "openai"),
        (
            "llm_search_embeddings",
            "LLM_SEARCH_EMBEDDINGS",
            {**VECTORS, **EMBEDDING, "embeddings": [0.1], "namespace": "n", "maxResults": 3, "dimensions": 5},
        ),
    ),
    "get embeddings": (
        LlmQueryEmbeddings("t", "pg", "i", [0.1], namespace="n"),
        ("llm_get_embeddings", "LLM_GET_EMBEDDINGS", {**VECTORS, "embeddings": [0.1], "namespace": "n"}),
    ),
    "image": (
        GenerateImage("t", "openai", "m", "a cat", style="vivid"),
        (
            "generate_image",
            "GENERATE_IMAGE",
            {
                **MODEL,
                "prompt": "a cat",
                "width": 1024,
                "height": 1024,
                "n": 1,
                "outputFormat": "png",
                "style": "vivid",
            },
        ),
    ),
    "audio": (
        GenerateAudio("t", "openai", "m", "hello", "alloy", 1.5, "mp3"),
        (
            "generate_audio",
            "GENERATE_AUDIO",
            {**MODEL, "text": "hello", "voice": "alloy", "speed": 1.5, "responseFormat": "mp3", "n": 1},
        ),
    ),
    "video": (
        GenerateVideo("t", "openai", "m", "a cat", duration=5, generate_audio=False, max_cost_dollars=1.5),
        (
            "generate_video",
            "GENERATE_VIDEO",
            {**MODEL, "prompt": "a cat", "duration": 5, "generateAudio": False, "maxCostDollars": 1.5},
        ),
    ),
    "pdf": (
        GeneratePdf("t", "# Title", page_size="A4", margin_top=36, pdf_metadata={"title": "T"}),
        (
            "generate_pdf",
            "GENERATE_PDF",
            {"markdown": "# Title", "pageSize": "A4", "marginTop": 36, "pdfMetadata": {"title": "T"}},
        ),
    ),
    "document": (
        GetDocument("fetch", "t", q, "application/pdf"),
        ("fetch", "GET_DOCUMENT", {"url": "${workflow.input.q}", "mediaType": "application/pdf"}),
    ),
    "tools": (
        ListMcpTools("t", "https://a.example/mcp", {"A": q}),
        (
            "list_mcp_tools",
            "LIST_MCP_TOOLS",
            {"mcpServer": "https://a.example/mcp", "headers": {"A": "${workflow.input.q}"}},
        ),
    ),
    "tool": (
        CallMcpTool("t", "https://a.example/mcp", "weather", {"city": q}),
        (
            "call_mcp_tool",
            "CALL_MCP_TOOL",
            {"mcpServer": "https://a.example/mcp", "method": "weather", "arguments": {"city": "${workflow.input.q}"}},
        ),
    ),
    "remote agent": (
        AgentTask("t", q, agent_url="https://a.example", message_metadata={"a": 1}, poll_interval_seconds=2),
        (
            "agent",
            "AGENT",
            {
                "text": "${workflow.input.q}",
                "agentUrl": "https://a.example",
                "metadata": {"a": 1},
                "pollIntervalSeconds": 2,
            },
        ),
    ),
    "agent of Conductor's": (
        AgentTask("t", agent_type="conductor", agent_name="planner", agent_version=2, prompt=q, static_plan={"a": 1}),
        (
            "agent",
            "AGENT",
            {
                "agentType": "conductor",
                "name": "planner",
                "version": 2,
                "prompt": "${workflow.input.q}",
                "static_plan": {"a": 1},
            },
        ),
    ),
    "agent card": (
        GetAgentCard("t", "https://a.example", {"A": "b"}),
        ("get_agent_card", "GET_AGENT_CARD", {"agentUrl": "https://a.example", "headers": {"A": "b"}}),
    ),
    "cancel": (
        CancelAgent("t", "https://a.example", q, reason="late"),
        (
            "cancel_agent",
            "CANCEL_AGENT",
            {"agentUrl": "https://a.example", "taskId": "${workflow.input.q}", "reason": "late"},
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_wire_form_of_each_ai_task(case):
    task, (name, task_type, inputs) = CASES[case]
    assert task.to_workflow_task().to_wire() == {
        "name": name,
        "taskReferenceName": "t",
        "type": task_type,
        "inputParameters": inputs,
    }


def test_metadata_of_a_document_is_not_that_of_the_task():
    with pytest.raises(TypeError, match="document_metadata="):
        LlmIndexText("t", "pg", "i", ADA, "text", "id", metadata={"a": 1})
    task = LlmIndexText("t", "pg", "i", ADA, "text", "id", document_metadata={"a": 1})
    task.metadata = {"team": "search"}
    made = task.to_workflow_task().to_wire()
    assert (made["metadata"], made["inputParameters"]["metadata"]) == ({"team": "search"}, {"a": 1})


def test_references_to_outputs_of_ai_tasks():
    chat = LlmChatComplete("c", "openai", "m")
    assert [str(each) for each in (chat.result.x, chat.tool_calls[0].name, chat.finish_reason, chat.token_used)] == [
        "${c.output.result.x}",
        "${c.output.toolCalls[0].name}",
        "${c.output.finishReason}",
        "${c.output.tokenUsed}",
    ]
    assert str(GenerateImage("i", "openai", "m", "a cat").media[0].location) == "${i.output.media[0].location}"
    assert str(ListMcpTools("l", "u").tools) == "${l.output.tools}"
    agent = AgentTask("a", "hi")
    assert (str(agent.text_output), str(agent.artifacts)) == ("${a.output.text}", "${a.output.artifacts}")
    assert str(GetAgentCard("g", "u").agent_card.name) == "${g.output.agentCard.name}"
    assert str(GetDocument("g", "g", "u", "m").result) == "${g.output.result}"


@pytest.mark.server
@pytest.mark.anyio
@pytest.mark.parametrize("case", CASES)
async def test_the_server_returns_them_unchanged(read_back, case):
    await read_back(CASES[case][0])

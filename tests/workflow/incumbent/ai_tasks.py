"""The fourteen tasks for AI that conductor-python's own tests register, as they are written here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async import ConductorWorkflow
from conductor_async.tasks import (
    CallMcpTool,
    ChatMessage,
    EmbeddingModel,
    GenerateAudio,
    GenerateImage,
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
    ToolSpec,
)

if TYPE_CHECKING:
    from conductor_async.tasks import TaskInterface

ADA = EmbeddingModel("openai", "text-embedding-ada-002")
STORE = ("pineconedb", "my-index")
ADA_OPTIONS = {"embedding_model": ADA.model, "embedding_model_provider": ADA.provider}
MCP = "http://localhost:3000/sse"
BEARER = {"Authorization": "Bearer of a token"}

TASKS: dict[str, TaskInterface] = {
    "chat_complete_basic": LlmChatComplete("chat_ref", "openai", "gpt-4", instructions_template="Be of help."),
    "chat_complete_tools": LlmChatComplete(
        "chat_tools_ref",
        "openai",
        "gpt-4",
        [ChatMessage(Role.USER, "Will it rain today?")],
        tools=[
            ToolSpec(
                "get_weather",
                description="The weather of a place.",
                input_schema={"type": "object", "properties": {"location": {"type": "string"}}},
            )
        ],
        json_output=True,
        thinking_token_limit=1024,
        reasoning_effort="medium",
        top_k=5,
        frequency_penalty=0.5,
        presence_penalty=0.3,
        max_results=10,
    ),
    "text_complete": LlmTextComplete(
        "text_ref",
        "openai",
        "gpt-3.5-turbo",
        "summarize",
        max_tokens=500,
        temperature=0.7,
        top_k=10,
        frequency_penalty=0.2,
        presence_penalty=0.1,
        json_output=True,
    ),
    "generate_embeddings": LlmGenerateEmbeddings("gen_embed_ref", ADA.provider, ADA.model, "a text", 1536),
    "query_embeddings": LlmQueryEmbeddings("query_embed_ref", *STORE, [0.1, 0.2, 0.3], namespace="test-ns"),
    "index_text": LlmIndexText(
        "index_text_ref",
        *STORE,
        ADA,
        "a text to find",
        "doc-001",
        "test-ns",
        chunk_size=1000,
        chunk_overlap=200,
        dimensions=1536,
        url="https://example.com/doc.txt",
    ),
    "index_document": LlmIndexDocument(
        "index_doc_ref",
        STORE[0],
        "test-ns",
        ADA,
        STORE[1],
        "https://example.com/doc.pdf",
        "application/pdf",
        dimensions=1536,
    ),
    "search_index": LlmSearchIndex(
        "search_idx_ref",
        STORE[0],
        "test-ns",
        STORE[1],
        ADA.provider,
        ADA.model,
        "what is like it",
        max_results=5,
        dimensions=1536,
    ),
    "generate_image": GenerateImage("gen_img_ref", "openai", "dall-e-3", "the sea at night", style="vivid"),
    "generate_audio": GenerateAudio(
        "gen_audio_ref", "openai", "tts-1", "good morning to you", "alloy", 1.0, response_format="mp3"
    ),
    "store_embeddings": LlmStoreEmbeddings(
        "store_embed_ref", *STORE, [0.1, 0.2, 0.3, 0.4], "test-ns", "doc-123", {"source": "test"}, **ADA_OPTIONS
    ),
    "search_embeddings": LlmSearchEmbeddings(
        "search_embed_ref", *STORE, [0.1, 0.2, 0.3], "test-ns", 10, 1536, **ADA_OPTIONS
    ),
    "list_mcp_tools": ListMcpTools("list_mcp_ref", MCP, BEARER),
    "call_mcp_tool": CallMcpTool("call_mcp_ref", MCP, "get_weather", {"location": "Kuala Lumpur"}, BEARER),
}

EXAMPLES = {
    f"test_ai_task_type_{name}": (
        lambda name=name, task=task: ConductorWorkflow(name=f"test_ai_task_type_{name}", version=1) >> task
    )
    for name, task in TASKS.items()
}

"""Tasks that turn text into vectors, store them and search them.

They run on servers that have AI switched on and a vector database set up, which has the name that the server's
configuration gives it. Every input may be an expression.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, InitVar, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from conductor_async.workflow.tasks.fields import Converted, Parameters, field
from conductor_async.workflow.tasks.llm import AiTask, ModelTask, NamedAiTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conductor_async.workflow.references import InputValue
    from conductor_async.workflow.tasks.inputs import Number, Text

__all__ = [
    "EmbeddingModel",
    "LlmGenerateEmbeddings",
    "LlmIndexDocument",
    "LlmIndexText",
    "LlmQueryEmbeddings",
    "LlmSearchEmbeddings",
    "LlmSearchIndex",
    "LlmStoreEmbeddings",
]


@dataclass(frozen=True)
class EmbeddingModel:
    """A model that turns text into vectors, and its provider."""

    provider: Text
    model: Text


def _with_provider(given: EmbeddingModel | Text | None) -> Any:
    if isinstance(given, EmbeddingModel):
        return Parameters(embeddingModelProvider=given.provider, embeddingModel=given.model)
    return given


class _VectorTask(AiTask):
    """A task on a vector database."""

    vector_db: Text = field(key="vectorDB")

    def _set_up(self, given: Mapping[str, Any]) -> None:
        if self.metadata is not None:  # conductor-python has one of the two only, and means the other one
            raise TypeError(
                f"{type(self).__name__}() takes document_metadata=, which is stored beside the text."
                " Notes in the task's definition are set afterwards: task.metadata = {…}."
            )
        super()._set_up(given)


class _IndexTask(_VectorTask, NamedAiTask):
    """Stores documents in a vector database."""

    _: KW_ONLY
    document_metadata: Mapping[str, InputValue] | Text | None = field(default=None, key="metadata")
    dimensions: Number | None = None
    embedding_model_provider: Text | None = field(default=None, init=False)


class LlmGenerateEmbeddings(ModelTask, task_type="LLM_GENERATE_EMBEDDINGS"):
    """Turns a text into a vector: `task.result`.

    Args:
        text: The text.
        dimensions: The length of the vector.

    Further arguments: see `ModelTask`, `AiTask` and `TaskInterface`.
    """

    text: Text
    dimensions: Number | None = None


class LlmIndexText(_IndexTask, task_type="LLM_INDEX_TEXT"):
    """Turns a text into vectors and stores them.

    Args:
        vector_db: The vector database.
        index: The index or collection in it.
        embedding_model: The model that turns text into vectors.
        text: The text.
        doc_id: The id to store it under.
        namespace: The namespace in the index.
        url: Where the text is, instead of `text`.
        media_type: The media type of the text.
        chunk_size: The length of the chunks that the text is split into, in characters.
        chunk_overlap: How many characters two chunks share.
        document_metadata: What is stored beside the text. (`metadata` is a note in the task's definition.)
        dimensions: The length of a vector.
        task_name: The name of the task definition.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    index: Text
    embedding_model: Converted[EmbeddingModel | Text, Text | None] = field(convert=_with_provider)
    text: Text | None
    doc_id: Text | None
    namespace: Text | None = None
    _: KW_ONLY
    url: Text | None = None
    media_type: Text | None = None
    chunk_size: Number | None = None
    chunk_overlap: Number | None = None


class LlmIndexDocument(_IndexTask):
    """Fetches a document, turns it into vectors and stores them. It is an `LLM_INDEX_TEXT` task, too.

    Args:
        vector_db: The vector database.
        namespace: The namespace in the index.
        embedding_model: The model that turns text into vectors.
        index: The index or collection.
        url: Where the document is.
        media_type: Its media type, such as `application/pdf`.
        chunk_size: The length of the chunks that the text is split into, in characters.
        chunk_overlap: How many characters two chunks share.
        doc_id: The id to store it under. The open-source server requires one.
        document_metadata: What is stored beside the text. (`metadata` is a note in the task's definition.)
        dimensions: The length of a vector.
        task_name: The name of the task definition.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    _task_type: ClassVar[str] = "LLM_INDEX_TEXT"

    namespace: Text
    embedding_model: Converted[EmbeddingModel | Text, Text | None] = field(convert=_with_provider)
    index: Text
    url: Text
    media_type: Text
    chunk_size: Number | None = None
    chunk_overlap: Number | None = None
    doc_id: Text | None = None


class LlmStoreEmbeddings(_VectorTask, NamedAiTask, task_type="LLM_STORE_EMBEDDINGS"):
    """Stores a vector.

    Args:
        vector_db: The vector database.
        index: The index or collection in it.
        embeddings: The vector, usually an expression.
        namespace: The namespace in the index.
        id: The id to store it under. Default: a new one.
        document_metadata: What is stored beside it.
        embedding_model: The model that made it.
        embedding_model_provider: The provider of the model.
        task_name: The name of the task definition.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    index: Text
    embeddings: Sequence[float] | Text
    namespace: Text | None = None
    id: Text | None = None
    document_metadata: Mapping[str, InputValue] | Text | None = field(default=None, key="metadata")
    embedding_model: Text | None = None
    embedding_model_provider: Text | None = None


class LlmSearchIndex(_VectorTask, task_type="LLM_SEARCH_INDEX"):
    """Finds the documents that are closest in meaning to a text.

    Args:
        vector_db: The vector database.
        namespace: The namespace in the index.
        index: The index or collection.
        embedding_model_provider: The provider of the model that turns text into vectors.
        embedding_model: That model.
        query: The text.
        task_name: The name of the task definition.
        max_results: The maximum number of documents.
        dimensions: The length of a vector.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    namespace: Text
    index: Text
    embedding_model_provider: Text
    embedding_model: Text
    query: Text
    task_name: InitVar[str | None] = None
    max_results: Number = 1
    dimensions: Number | None = None


class LlmSearchEmbeddings(_VectorTask, NamedAiTask, task_type="LLM_SEARCH_EMBEDDINGS"):
    """Finds the documents that are closest to a vector.

    Args:
        vector_db: The vector database.
        index: The index or collection in it.
        embeddings: The vector, usually an expression.
        namespace: The namespace in the index.
        max_results: The maximum number of documents.
        dimensions: The length of a vector.
        embedding_model: The model that made it.
        embedding_model_provider: The provider of the model.
        task_name: The name of the task definition.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    index: Text
    embeddings: Sequence[float] | Text
    namespace: Text | None = None
    max_results: Number | None = 1
    dimensions: Number | None = None
    embedding_model: Text | None = None
    embedding_model_provider: Text | None = None


class LlmQueryEmbeddings(_VectorTask, task_type="LLM_GET_EMBEDDINGS"):
    """The predecessor of `LlmSearchEmbeddings`, for existing definitions.

    Args:
        vector_db: The vector database.
        index: The index or collection in it.
        embeddings: The vector, usually an expression.
        task_name: The name of the task definition.
        namespace: The namespace in the index.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    index: Text
    embeddings: Sequence[float] | Text
    task_name: InitVar[str | None] = None
    namespace: Text | None = None

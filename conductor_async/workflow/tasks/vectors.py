"""Tasks that turn text into vectors, keep them and find them again.

They run on servers with AI switched on and a vector database set up, which is named as in the server's configuration.
Every input may be an expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from conductor_async.workflow.tasks.inputs import InputField, Number, Text
from conductor_async.workflow.tasks.llm import AiOptions, AiTask, ModelTask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conductor_async.workflow.references import InputValue
    from conductor_async.workflow.tasks.base import TaskOptions

__all__ = [
    "EmbeddingModel",
    "IndexOptions",
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
    """A model that turns text into vectors, and who provides it."""

    provider: Text
    model: Text


class IndexOptions(AiOptions, total=False):
    """What tasks on vector databases may have.

    Attributes:
        document_metadata: What is to be kept beside the text. (`metadata` is a note in the task's definition.)
        chunk_size: Cut the text into pieces of so many characters.
        chunk_overlap: How many characters two pieces share.
        dimensions: How many numbers a vector has.
    """

    document_metadata: Mapping[str, InputValue] | Text | None
    chunk_size: Number | None
    chunk_overlap: Number | None
    dimensions: Number | None


class _VectorTask(AiTask):
    vector_db: InputField[Text] = InputField("vectorDB")
    index: InputField[Text] = InputField()
    namespace: InputField[Text] = InputField()
    dimensions: InputField[Number] = InputField()
    embedding_model: InputField[Text] = InputField()
    embedding_model_provider: InputField[Text] = InputField()
    document_metadata: InputField[Mapping[str, InputValue] | Text] = InputField("metadata")

    def __init__(self, task_ref_name: str, inputs: Mapping[str, object], options: Mapping[str, object]) -> None:
        if "metadata" in options:  # conductor-python has one of the two only, and it is the other one
            raise TypeError(
                f"{type(self).__name__}() takes document_metadata=, which is kept beside the text."
                " A note in the task's definition is set afterwards: task.metadata = {…}."
            )
        super().__init__(task_ref_name, inputs, options)


class LlmGenerateEmbeddings(ModelTask, task_type="LLM_GENERATE_EMBEDDINGS"):
    """Turns a text into a vector: `task.result`.

    Args:
        task_ref_name: The name of this place in the workflow.
        llm_provider: The provider.
        model: The model.
        text: The text.
        dimensions: How many numbers the vector shall have.
        task_name: The name of the task's definition.
        options: See `AiOptions` and `TaskOptions`.
    """

    text: InputField[Text] = InputField()
    dimensions: InputField[Number] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        llm_provider: Text,
        model: Text,
        text: Text,
        dimensions: Number | None = None,
        **options: Unpack[AiOptions],
    ) -> None:
        inputs = {"llm_provider": llm_provider, "model": model, "text": text, "dimensions": dimensions}
        super().__init__(task_ref_name, inputs, options)


class LlmIndexText(_VectorTask, task_type="LLM_INDEX_TEXT"):
    """Turns a text into vectors and keeps them.

    Args:
        task_ref_name: The name of this place in the workflow.
        vector_db: The vector database.
        index: The index or collection in it.
        embedding_model: The model that turns text into vectors.
        text: The text.
        doc_id: The id to keep it under.
        namespace: The part of the index.
        url: Where the text is, instead of `text`.
        options: See `IndexOptions`, `AiOptions` and `TaskOptions`.
    """

    text: InputField[Text] = InputField()
    doc_id: InputField[Text] = InputField()
    url: InputField[Text] = InputField()
    media_type: InputField[Text] = InputField()
    chunk_size: InputField[Number] = InputField()
    chunk_overlap: InputField[Number] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        vector_db: Text,
        index: Text,
        embedding_model: EmbeddingModel,
        text: Text | None,
        doc_id: Text | None,
        namespace: Text | None = None,
        *,
        url: Text | None = None,
        media_type: Text | None = None,
        **options: Unpack[IndexOptions],
    ) -> None:
        inputs = {
            "vector_db": vector_db,
            "index": index,
            "namespace": namespace,
            "embedding_model_provider": embedding_model.provider,
            "embedding_model": embedding_model.model,
            "text": text,
            "doc_id": doc_id,
            "url": url,
            "media_type": media_type,
        }
        super().__init__(task_ref_name, inputs, options)


class LlmIndexDocument(LlmIndexText):
    """Fetches a document, turns it into vectors and keeps them.

    Args:
        task_ref_name: The name of this place in the workflow.
        vector_db: The vector database.
        namespace: The part of the index.
        embedding_model: The model that turns text into vectors.
        index: The index or collection.
        url: Where the document is.
        media_type: Its media type, such as `application/pdf`.
        chunk_size: Cut the text into pieces of so many characters.
        chunk_overlap: How many characters two pieces share.
        doc_id: The id to keep it under. The open-source server wants one.
        options: See `IndexOptions`, `AiOptions` and `TaskOptions`.
    """

    def __init__(
        self,
        task_ref_name: str,
        vector_db: Text,
        namespace: Text,
        embedding_model: EmbeddingModel,
        index: Text,
        url: Text,
        media_type: Text,
        chunk_size: Number | None = None,
        chunk_overlap: Number | None = None,
        doc_id: Text | None = None,
        **options: Unpack[_DocumentOptions],
    ) -> None:
        super().__init__(
            task_ref_name,
            vector_db,
            index,
            embedding_model,
            None,
            doc_id,
            namespace,
            url=url,
            media_type=media_type,
            chunk_size=chunk_size,
            chunk_overlap=chunk_overlap,
            **options,
        )


class _DocumentOptions(AiOptions, total=False):
    document_metadata: Mapping[str, InputValue] | Text | None
    dimensions: Number | None


class LlmStoreEmbeddings(_VectorTask, task_type="LLM_STORE_EMBEDDINGS"):
    """Keeps a vector.

    Args:
        task_ref_name: The name of this place in the workflow.
        vector_db: The vector database.
        index: The index or collection in it.
        embeddings: The vector, usually an expression.
        namespace: The part of the index.
        id: The id to keep it under; a new one if not given.
        document_metadata: What is to be kept beside it.
        embedding_model: The model that has made it.
        embedding_model_provider: The provider of the model.
        options: See `AiOptions` and `TaskOptions`.
    """

    embeddings: InputField[Sequence[float] | Text] = InputField()
    id: InputField[Text] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        vector_db: Text,
        index: Text,
        embeddings: Sequence[float] | Text,
        namespace: Text | None = None,
        id: Text | None = None,  # noqa: A002 - the server's word
        document_metadata: Mapping[str, InputValue] | Text | None = None,
        embedding_model: Text | None = None,
        embedding_model_provider: Text | None = None,
        **options: Unpack[AiOptions],
    ) -> None:
        inputs = {
            "vector_db": vector_db,
            "index": index,
            "embeddings": embeddings,
            "namespace": namespace,
            "id": id,
            "document_metadata": document_metadata,
            "embedding_model": embedding_model,
            "embedding_model_provider": embedding_model_provider,
        }
        super().__init__(task_ref_name, inputs, options)


class LlmSearchIndex(_VectorTask, task_type="LLM_SEARCH_INDEX"):
    """Finds the documents nearest in meaning to a text.

    Args:
        task_ref_name: The name of this place in the workflow.
        vector_db: The vector database.
        namespace: The part of the index.
        index: The index or collection.
        embedding_model_provider: The provider of the model that turns text into vectors.
        embedding_model: That model.
        query: The text.
        task_name: The name of the task's definition.
        max_results: How many documents at most.
        dimensions: How many numbers a vector has.
        options: See `TaskOptions`.
    """

    query: InputField[Text] = InputField()
    max_results: InputField[Number] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        vector_db: Text,
        namespace: Text,
        index: Text,
        embedding_model_provider: Text,
        embedding_model: Text,
        query: Text,
        task_name: str | None = None,
        max_results: Number = 1,
        dimensions: Number | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        inputs = {
            "vector_db": vector_db,
            "namespace": namespace,
            "index": index,
            "embedding_model_provider": embedding_model_provider,
            "embedding_model": embedding_model,
            "query": query,
            "max_results": max_results,
            "dimensions": dimensions,
        }
        super().__init__(task_ref_name, inputs, {**options, "task_name": task_name})


class LlmSearchEmbeddings(_VectorTask, task_type="LLM_SEARCH_EMBEDDINGS"):
    """Finds the documents nearest to a vector.

    Args:
        task_ref_name: The name of this place in the workflow.
        vector_db: The vector database.
        index: The index or collection in it.
        embeddings: The vector, usually an expression.
        namespace: The part of the index.
        max_results: How many documents at most.
        dimensions: How many numbers a vector has.
        embedding_model: The model that has made it.
        embedding_model_provider: The provider of the model.
        options: See `AiOptions` and `TaskOptions`.
    """

    embeddings: InputField[Sequence[float] | Text] = InputField()
    max_results: InputField[Number] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        vector_db: Text,
        index: Text,
        embeddings: Sequence[float] | Text,
        namespace: Text | None = None,
        max_results: Number | None = 1,
        dimensions: Number | None = None,
        embedding_model: Text | None = None,
        embedding_model_provider: Text | None = None,
        **options: Unpack[AiOptions],
    ) -> None:
        inputs = {
            "vector_db": vector_db,
            "index": index,
            "embeddings": embeddings,
            "namespace": namespace,
            "max_results": max_results,
            "dimensions": dimensions,
            "embedding_model": embedding_model,
            "embedding_model_provider": embedding_model_provider,
        }
        super().__init__(task_ref_name, inputs, options)


class LlmQueryEmbeddings(_VectorTask, task_type="LLM_GET_EMBEDDINGS"):
    """The predecessor of `LlmSearchEmbeddings`, for definitions that have it.

    Args:
        task_ref_name: The name of this place in the workflow.
        vector_db: The vector database.
        index: The index or collection in it.
        embeddings: The vector, usually an expression.
        task_name: The name of the task's definition.
        namespace: The part of the index.
        options: See `TaskOptions`.
    """

    embeddings: InputField[Sequence[float] | Text] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        vector_db: Text,
        index: Text,
        embeddings: Sequence[float] | Text,
        task_name: str | None = None,
        namespace: Text | None = None,
        **options: Unpack[TaskOptions],
    ) -> None:
        inputs = {"vector_db": vector_db, "index": index, "embeddings": embeddings, "namespace": namespace}
        super().__init__(task_ref_name, inputs, {**options, "task_name": task_name})

"""Tasks that generate images, audio, videos and documents, and the one that fetches a document.

They run on servers that have AI switched on and providers set up. Every input may be an expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from conductor_async.workflow.tasks.inputs import Flag, InputTask, Number, Text
from conductor_async.workflow.tasks.llm import ModelTask, NamedAiTask

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import KW_ONLY

    from conductor_async.workflow.references import Reference
    from conductor_async.workflow.tasks.base import TaskOptions

__all__ = ["GenerateAudio", "GenerateImage", "GeneratePdf", "GenerateVideo", "GetDocument"]


class _MediaTask(ModelTask):
    """A model that generates files."""

    @property
    def media(self) -> Reference:
        """What was generated: a list of objects with `location` and `mimeType`."""
        return self._reference("media")


class GenerateImage(_MediaTask, task_type="GENERATE_IMAGE"):
    """Generates images.

    Args:
        prompt: What to show.
        width: Pixels.
        height: Pixels.
        size: Both in one, for models that want it so: `1024x1024`.
        style: Such as `natural` or `vivid`.
        n: How many.
        weight: The weight of the prompt.
        output_format: `png`, `jpg` or `webp`.

    Further arguments: see `ModelTask`, `AiTask` and `TaskInterface`.
    """

    prompt: Text
    width: Number | None = 1024
    height: Number | None = 1024
    size: Text | None = None
    style: Text | None = None
    n: Number = 1
    weight: Number | None = None
    output_format: Text | None = "png"


class GenerateAudio(_MediaTask, task_type="GENERATE_AUDIO"):
    """Turns a text into speech.

    Args:
        text: The text.
        voice: The voice.
        speed: The speed; 1 is normal.
        response_format: `mp3`, `wav` and so on.
        n: How many.
        prompt: A prompt instead of the text.

    Further arguments: see `ModelTask`, `AiTask` and `TaskInterface`.
    """

    text: Text | None = None
    voice: Text | None = None
    speed: Number | None = None
    response_format: Text | None = None
    n: Number = 1
    prompt: Text | None = None


class GenerateVideo(_MediaTask, task_type="GENERATE_VIDEO"):
    """Generates videos. The task stays IN_PROGRESS until the provider is done. Not every provider knows all options.

    Args:
        prompt: What to show.
        input_image: An image to start from: its URL, or base64.
        duration: Seconds.
        width: Pixels.
        height: Pixels.
        size: Both in one, for models that want it so: `1280x720`.
        fps: Frames per second.
        output_format: Such as `mp4`.
        style: Such as `cinematic`.
        motion: `slow`, `medium`, `fast` or `extreme`.
        seed: The same seed generates the same video.
        guidance_scale: How closely to follow the prompt: 1 to 20.
        aspect_ratio: `16:9`, `9:16` and so on.
        negative_prompt: What not to show.
        person_generation: Whether people may be shown.
        resolution: `720p` or `1080p`.
        generate_audio: Adds sound.
        generate_thumbnail: Adds a thumbnail.
        thumbnail_timestamp: The second that the thumbnail shows.
        max_duration_seconds: The maximum duration.
        max_cost_dollars: The maximum cost.
        n: How many.

    Further arguments: see `ModelTask`, `AiTask` and `TaskInterface`.
    """

    prompt: Text
    _: KW_ONLY
    input_image: Text | None = None
    duration: Number | None = None
    width: Number | None = None
    height: Number | None = None
    size: Text | None = None
    fps: Number | None = None
    output_format: Text | None = None
    style: Text | None = None
    motion: Text | None = None
    seed: Number | None = None
    guidance_scale: Number | None = None
    aspect_ratio: Text | None = None
    negative_prompt: Text | None = None
    person_generation: Text | None = None
    resolution: Text | None = None
    generate_audio: Flag | None = None
    generate_thumbnail: Flag | None = None
    thumbnail_timestamp: Number | None = None
    max_duration_seconds: Number | None = None
    max_cost_dollars: Number | None = None
    n: Number | None = None


class GeneratePdf(NamedAiTask, task_type="GENERATE_PDF"):
    """Generates a PDF from Markdown. Lengths are in points: 72 are an inch.

    Args:
        markdown: The text.
        page_size: `A4`, `LETTER` or `LEGAL`.
        margin_top: Default: 72.
        margin_right: Default: 72.
        margin_bottom: Default: 72.
        margin_left: Default: 72.
        theme: `default` or `compact`.
        base_font_size: Default: 11.
        output_location: Where to store it.
        pdf_metadata: Title, author, subject, keywords.
        image_base_url: The base of relative image URLs.

    Further arguments: see `AiTask` and `TaskInterface`.
    """

    markdown: Text
    _: KW_ONLY
    page_size: Text | None = None
    margin_top: Number | None = None
    margin_right: Number | None = None
    margin_bottom: Number | None = None
    margin_left: Number | None = None
    theme: Text | None = None
    base_font_size: Number | None = None
    output_location: Text | None = None
    pdf_metadata: Mapping[str, str] | None = None
    image_base_url: Text | None = None


class GetDocument(InputTask, task_type="GET_DOCUMENT"):
    """Fetches a document and returns its text (Orkes).

    Args:
        task_name: The name of the task definition.
        task_ref_name: The task's reference name, unique in the workflow.
        url: Where the document is.
        media_type: Its media type, such as `application/pdf`.
        options: See `TaskInterface`.
    """

    url: Text
    media_type: Text

    def __init__(
        self, task_name: str, task_ref_name: str, url: Text, media_type: Text, **options: Unpack[TaskOptions]
    ) -> None:
        options["name"] = task_name
        super().__init__(task_ref_name, **options)
        self.url = url
        self.media_type = media_type

    @property
    def result(self) -> Reference:
        """The text."""
        return self._reference("result")

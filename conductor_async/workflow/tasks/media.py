"""Tasks that make pictures, sounds, films and documents, and the one that fetches a document.

They run on servers with AI switched on and providers set up. Every input may be an expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from conductor_async.workflow.references import Reference
from conductor_async.workflow.tasks.inputs import Flag, InputField, InputTask, Number, Text
from conductor_async.workflow.tasks.llm import AiOptions, AiTask, ModelOptions, ModelTask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conductor_async.workflow.tasks.base import TaskOptions

__all__ = [
    "GenerateAudio",
    "GenerateImage",
    "GeneratePdf",
    "GenerateVideo",
    "GetDocument",
    "PdfOptions",
    "VideoOptions",
]


class _MediaTask(ModelTask):
    prompt: InputField[Text] = InputField()
    n: InputField[Number] = InputField()
    style: InputField[Text] = InputField()
    size: InputField[Text] = InputField()
    width: InputField[Number] = InputField()
    height: InputField[Number] = InputField()
    output_format: InputField[Text] = InputField()

    @property
    def media(self) -> Reference:
        """What it has made: a list, each with its `location` and `mimeType`."""
        return Reference(f"{self.task_reference_name}.output.media")


class GenerateImage(_MediaTask, task_type="GENERATE_IMAGE"):
    """Makes pictures.

    Args:
        task_ref_name: The name of this place in the workflow.
        llm_provider: The provider.
        model: The model.
        prompt: What to show.
        width: Pixels.
        height: Pixels.
        size: Both in one, for models that want it so: `1024x1024`.
        style: Such as `natural` or `vivid`.
        n: How many.
        weight: How much the prompt counts.
        output_format: `png`, `jpg` or `webp`.
        prompt_variables: Values for the variables of the prompt.
        options: See `ModelOptions`, `AiOptions` and `TaskOptions`.
    """

    weight: InputField[Number] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        llm_provider: Text,
        model: Text,
        prompt: Text,
        width: Number | None = 1024,
        height: Number | None = 1024,
        size: Text | None = None,
        style: Text | None = None,
        n: Number = 1,
        weight: Number | None = None,
        output_format: Text | None = "png",
        **options: Unpack[ModelOptions],
    ) -> None:
        inputs = {
            "llm_provider": llm_provider,
            "model": model,
            "prompt": prompt,
            "width": width,
            "height": height,
            "size": size,
            "style": style,
            "n": n,
            "weight": weight,
            "output_format": output_format,
        }
        super().__init__(task_ref_name, inputs, options)


class GenerateAudio(_MediaTask, task_type="GENERATE_AUDIO"):
    """Speaks a text.

    Args:
        task_ref_name: The name of this place in the workflow.
        llm_provider: The provider.
        model: The model.
        text: What to say.
        voice: The voice.
        speed: How fast; 1 is normal.
        response_format: `mp3`, `wav` and so on.
        n: How many.
        prompt: A prompt instead of the text.
        options: See `ModelOptions`, `AiOptions` and `TaskOptions`.
    """

    text: InputField[Text] = InputField()
    voice: InputField[Text] = InputField()
    speed: InputField[Number] = InputField()
    response_format: InputField[Text] = InputField()

    def __init__(
        self,
        task_ref_name: str,
        llm_provider: Text,
        model: Text,
        text: Text | None = None,
        voice: Text | None = None,
        speed: Number | None = None,
        response_format: Text | None = None,
        n: Number = 1,
        prompt: Text | None = None,
        **options: Unpack[ModelOptions],
    ) -> None:
        inputs = {
            "llm_provider": llm_provider,
            "model": model,
            "text": text,
            "voice": voice,
            "speed": speed,
            "response_format": response_format,
            "n": n,
            "prompt": prompt,
        }
        super().__init__(task_ref_name, inputs, options)


class VideoOptions(ModelOptions, total=False):
    """What a film may have beside a model's options. Not every provider knows all of them.

    Attributes:
        input_image: A picture to start from: its URL, or base64.
        duration: Seconds.
        width: Pixels.
        height: Pixels.
        size: Both in one, for models that want it so: `1280x720`.
        fps: Pictures a second.
        output_format: Such as `mp4`.
        style: Such as `cinematic`.
        motion: `slow`, `medium`, `fast` or `extreme`.
        seed: The same seed makes the same film.
        guidance_scale: How closely to follow the prompt: 1 to 20.
        aspect_ratio: `16:9`, `9:16` and so on.
        negative_prompt: What not to show.
        person_generation: Whether people may be shown.
        resolution: `720p` or `1080p`.
        generate_audio: With sound.
        generate_thumbnail: With a picture for previews.
        thumbnail_timestamp: The second that it shows.
        max_duration_seconds: Not longer than this.
        max_cost_dollars: Not dearer than this.
        n: How many.
    """

    input_image: Text | None
    duration: Number | None
    width: Number | None
    height: Number | None
    size: Text | None
    fps: Number | None
    output_format: Text | None
    style: Text | None
    motion: Text | None
    seed: Number | None
    guidance_scale: Number | None
    aspect_ratio: Text | None
    negative_prompt: Text | None
    person_generation: Text | None
    resolution: Text | None
    generate_audio: Flag | None
    generate_thumbnail: Flag | None
    thumbnail_timestamp: Number | None
    max_duration_seconds: Number | None
    max_cost_dollars: Number | None
    n: Number | None


class GenerateVideo(_MediaTask, task_type="GENERATE_VIDEO"):
    """Makes a film. The task stays IN_PROGRESS until the provider is done.

    Args:
        task_ref_name: The name of this place in the workflow.
        llm_provider: The provider.
        model: The model.
        prompt: What to show.
        options: See `VideoOptions`, `ModelOptions`, `AiOptions` and `TaskOptions`.
    """

    input_image: InputField[Text] = InputField()
    duration: InputField[Number] = InputField()
    fps: InputField[Number] = InputField()
    motion: InputField[Text] = InputField()
    seed: InputField[Number] = InputField()
    guidance_scale: InputField[Number] = InputField()
    aspect_ratio: InputField[Text] = InputField()
    negative_prompt: InputField[Text] = InputField()
    person_generation: InputField[Text] = InputField()
    resolution: InputField[Text] = InputField()
    generate_audio: InputField[Flag] = InputField()
    generate_thumbnail: InputField[Flag] = InputField()
    thumbnail_timestamp: InputField[Number] = InputField()
    max_duration_seconds: InputField[Number] = InputField()
    max_cost_dollars: InputField[Number] = InputField()

    def __init__(
        self, task_ref_name: str, llm_provider: Text, model: Text, prompt: Text, **options: Unpack[VideoOptions]
    ) -> None:
        super().__init__(task_ref_name, {"llm_provider": llm_provider, "model": model, "prompt": prompt}, options)


class PdfOptions(AiOptions, total=False):
    """How a PDF is to look. Lengths are in points, of which an inch has 72.

    Attributes:
        page_size: `A4`, `LETTER` or `LEGAL`.
        margin_top: 72 if not given, as the others.
        margin_right: See there.
        margin_bottom: See there.
        margin_left: See there.
        theme: `default` or `compact`.
        base_font_size: 11 if not given.
        output_location: Where to store it.
        pdf_metadata: Title, author, subject, keywords.
        image_base_url: What relative links to pictures start from.
    """

    page_size: Text | None
    margin_top: Number | None
    margin_right: Number | None
    margin_bottom: Number | None
    margin_left: Number | None
    theme: Text | None
    base_font_size: Number | None
    output_location: Text | None
    pdf_metadata: Mapping[str, str] | None
    image_base_url: Text | None


class GeneratePdf(AiTask, task_type="GENERATE_PDF"):
    """Makes a PDF of a text in Markdown.

    Args:
        task_ref_name: The name of this place in the workflow.
        markdown: The text.
        options: See `PdfOptions`, `AiOptions` and `TaskOptions`.
    """

    markdown: InputField[Text] = InputField()
    page_size: InputField[Text] = InputField()
    margin_top: InputField[Number] = InputField()
    margin_right: InputField[Number] = InputField()
    margin_bottom: InputField[Number] = InputField()
    margin_left: InputField[Number] = InputField()
    theme: InputField[Text] = InputField()
    base_font_size: InputField[Number] = InputField()
    output_location: InputField[Text] = InputField()
    pdf_metadata: InputField[Mapping[str, str]] = InputField()
    image_base_url: InputField[Text] = InputField()

    def __init__(self, task_ref_name: str, markdown: Text, **options: Unpack[PdfOptions]) -> None:
        super().__init__(task_ref_name, {"markdown": markdown}, options)


class GetDocument(InputTask, task_type="GET_DOCUMENT"):
    """Fetches a document and gives its text (Orkes).

    Args:
        task_name: The name of the task's definition.
        task_ref_name: The name of this place in the workflow.
        url: Where the document is.
        media_type: Its media type, such as `application/pdf`.
        options: The fields that all tasks have: see `TaskOptions`.
    """

    url: InputField[Text] = InputField()
    media_type: InputField[Text] = InputField()

    def __init__(
        self, task_name: str, task_ref_name: str, url: Text, media_type: Text, **options: Unpack[TaskOptions]
    ) -> None:
        super().__init__(task_ref_name, {"url": url, "media_type": media_type}, {**options, "name": task_name})

    @property
    def result(self) -> Reference:
        """The text."""
        return Reference(f"{self.task_reference_name}.output.result")

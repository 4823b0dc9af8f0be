"""Images in an answer, as clients of OpenRouter and LiteLLM know them."""

from service.schemas import gemini
from service.schemas.openai_chat import Image, ImageUrl


def blobs(candidate: gemini.Candidate, kind: str) -> list[gemini.Blob]:
    """Return the images, or the sound, of an answer. Those of a thought are no part of it."""
    return [
        part.inline_data
        for part in (candidate.content and candidate.content.parts) or []
        if part.inline_data is not None
        and part.inline_data.data
        and part.inline_data.mime_type.lower().startswith(kind)
        and not part.thought
    ]


def images(candidate: gemini.Candidate, begin: int = 0) -> list[Image]:
    """Return the images as data URLs; the index counts over the whole choice, from `begin` on."""
    return [
        Image(index, ImageUrl(f"data:{blob.mime_type};base64,{blob.data}"))
        for index, blob in enumerate(blobs(candidate, "image/"), begin)
    ]

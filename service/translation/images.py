"""Images in an answer, as clients of OpenRouter and LiteLLM know them."""

from service.schemas import gemini
from service.schemas.openai_chat import Image, ImageUrl


def blobs(candidate: gemini.Candidate, kind: str) -> list[gemini.Blob]:
    """Return the images, or the sound, of an answer. Those of a thought are no part of it."""
    found = []
    for part in (candidate.content and candidate.content.parts) or []:
        blob = part.inline_data
        if blob is None or not blob.data or part.thought:
            continue
        if blob.mime_type.lower().startswith(kind):
            found.append(blob)
    return found


def images(candidate: gemini.Candidate, begin: int = 0) -> list[Image]:
    """Return the images as data URLs; the index counts over the whole choice, from `begin` on."""
    return [
        Image(index, ImageUrl(f"data:{blob.mime_type};base64,{blob.data}"))
        for index, blob in enumerate(blobs(candidate, "image/"), begin)
    ]

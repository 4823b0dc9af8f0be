"""Gemini's complete answer, as a chat completion; finish reasons for streams too."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

from service.errors import UpstreamMalformedError, UpstreamResponseError, UpstreamTruncatedError
from service.schemas import gemini
from service.schemas.openai_chat import AssistantReply, ChatCompletion, Choice, FinishReason
from service.translation.grounding import Grounding
from service.translation.images import blobs, images
from service.translation.logprobs import logprobs
from service.translation.reasoning import ReasoningField, pieces, reply
from service.translation.signatures import extra_content
from service.translation.speech import AudioFormat, speech
from service.translation.tool_calls import PLAIN, Calling, CallTranslator, without_index
from service.translation.usage import tier, to_usage, total


class Metadata(NamedTuple):
    """What every chunk and every completion repeats."""

    id: str
    created: int
    model: str
    #: Of the ids for calls to which Gemini gave none.
    call_prefix: str = "call_"
    calling: Calling = PLAIN
    #: How the client gets speech.
    audio: AudioFormat = "wav"
    #: Whether sources go into the text, too.
    inline_citations: bool = False
    #: Whether there may be any: a stream has to keep its words for them.
    may_cite: bool = True


def to_openai(
    responses: Sequence[gemini.GenerateContentResponse],
    metadata: Metadata,
    *,
    reasoning: ReasoningField = "both",
) -> ChatCompletion:
    """Translate one response for each choice; usage is their sum, because that is what is billed.

    Raise `UpstreamResponseError` for an answer that Gemini did not finish.
    """
    return ChatCompletion(
        id=metadata.id,
        created=metadata.created,
        model=metadata.model,
        system_fingerprint=fingerprint([one.model_version for one in responses], metadata.model),
        service_tier=tier(responses[0].usage_metadata),
        choices=[
            _choice(response, index, metadata, reasoning)
            for index, response in enumerate(responses)
        ],
        usage=total([to_usage(response.usage_metadata) for response in responses]),
    )


def fingerprint(versions: Sequence[str | None], model: str) -> str | None:
    """Return what tells that another model answered than the one that was named, else None."""
    name = model.rpartition("/")[2]
    others = sorted({version for version in versions if version and version != name})
    return f"fp_{sha256(','.join(others).encode()).hexdigest()[:10]}" if others else None


def _choice(
    response: gemini.GenerateContentResponse,
    index: int,
    metadata: Metadata,
    reasoning: ReasoningField,
) -> Choice:
    if alone := lone_text(response, "STOP"):  # as most are
        return Choice(index=index, message=AssistantReply(content=alone), finish_reason="stop")
    candidate = first_candidate(response)
    calls = CallTranslator(metadata.calling, f"{metadata.call_prefix}{index}_")
    made = without_index(calls.take(candidate))
    said = pieces(candidate)
    drawn, spoken = images(candidate), blobs(candidate, "audio/")
    text = "".join([piece.text for piece in said if not piece.thought])
    reason = finish_reason(
        candidate.finish_reason,
        blocked=is_blocked(response),
        empty=not (text or made or drawn or spoken),
        called=calls.finish,
    )
    message = reply(said, reasoning)
    if drawn:
        message.images = drawn
    if spoken:
        message.audio = speech(
            spoken,
            id_=audio_id(metadata, index),
            created=metadata.created,
            transcript=text,
            format_=metadata.audio,
        )
    _annotate(message, candidate, reasoning, inline=metadata.inline_citations)
    if (made or spoken) and not message.content:
        message.content = None
    if made and metadata.calling.legacy:
        message.function_call = made[0].function
        message.extra_content = made[0].extra_content
    elif made:
        message.tool_calls = made
    elif signature := text_signature(candidate):
        message.extra_content = extra_content(signature)
    return Choice(index=index, message=message, finish_reason=reason, logprobs=logprobs(candidate))


def audio_id(metadata: Metadata, index: int) -> str:
    return f"audio_{metadata.id.removeprefix('chatcmpl-')}_{index}"


def _annotate(
    message: AssistantReply, candidate: gemini.Candidate, reasoning: ReasoningField, *, inline: bool
) -> None:
    if not candidate.grounding_metadata:
        return
    grounding = Grounding.of(candidate, tagged=reasoning == "tags")
    if inline:
        message.content, annotations = grounding.in_text(message.content or "")
    else:
        annotations = grounding.annotations()
    if annotations:
        message.annotations = annotations


_NO_CANDIDATE = gemini.Candidate()


def first_candidate(response: gemini.GenerateContentResponse) -> gemini.Candidate:
    """Gemini is asked for one candidate; what has another's index is not ours to mix in."""
    for candidate in response.candidates or []:
        if not candidate.index:
            return candidate
    return _NO_CANDIDATE


def lone_text(response: gemini.GenerateContentResponse, ending: str | None = None) -> str | None:
    """Return the text of a response that says nothing else but its finish reason."""
    candidates = response.candidates
    if not candidates or len(candidates) > 1 or response.prompt_feedback is not None:
        return None
    candidate = candidates[0]
    content = candidate.content
    if content is None or content.parts is None or len(content.parts) != 1 or candidate.index:
        return None
    text = content.parts[0].text
    # By comparison, so that whatever else there may be is not lost.
    if content.parts[0] != gemini.Part(text=text):
        return None
    alone = gemini.Candidate(content=content, index=candidate.index, finish_reason=ending)
    return text if candidate == alone else None


def text_signature(candidate: gemini.Candidate) -> str | None:
    """Return the signature of the words, if they have one; it may come on an empty part.

    Beside calls it is not passed on: back from the client it would be taken for a call's.
    """
    found = None
    for part in (candidate.content and candidate.content.parts) or []:
        if part.thought_signature and part.function_call is None and not part.thought:
            found = part.thought_signature
    return found


def is_blocked(response: gemini.GenerateContentResponse) -> bool:
    return bool(response.prompt_feedback and response.prompt_feedback.block_reason)


_FINISH_REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "IMAGE_OTHER": "content_filter",
    "NO_IMAGE": "content_filter",
}


def is_final(native: str | None) -> bool:
    """Whether Gemini's finish reason ends the answer."""
    return native not in (None, "", "FINISH_REASON_UNSPECIFIED")


def finish_reason(
    native: str | None,
    *,
    blocked: bool,
    empty: bool,
    called: Literal["tool_calls", "function_call"] | None = None,
) -> FinishReason:
    """Say in OpenAI's words why an answer ended.

    Args:
        native: Gemini's `finishReason`, if any came.
        blocked: whether the prompt was refused.
        empty: whether the client got no content.
        called: what stands for a stop where the client got calls; Gemini makes no difference.

    Raises:
        UpstreamMalformedError: the model failed, by Google's own word.
        UpstreamTruncatedError: the answer did not end, so it must not look as if it had.
        UpstreamResponseError: an end that nobody knows, with nothing before it.

    """
    if native is None or not is_final(native):
        if blocked:
            return "content_filter"
        raise UpstreamTruncatedError(
            "Gemini's answer broke off before its end. Ask again; the request was not at fault."
        )
    if native in gemini.MALFORMED:
        raise malformed(native)
    known = _FINISH_REASONS.get(native)
    if known and known != "stop":
        return known
    if called is not None:
        return called
    if known or not empty:
        return "stop"
    if native == "OTHER":
        return "content_filter"
    raise UpstreamResponseError(f"Gemini ended an empty answer for the reason {native!r}.")


def malformed(native: str) -> UpstreamMalformedError:
    return UpstreamMalformedError(
        f"Gemini could not finish its answer ({native}). Ask again, or put the request differently."
    )

"""Completions of a text, as Gemini's requests and back: one call for each choice."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas import gemini
from service.schemas.openai import Usage
from service.schemas.openai_chat import FinishReason
from service.schemas.openai_completions import Completion, CompletionChoice, CompletionRequest
from service.translation.defaults import Defaults
from service.translation.messages import BLANK
from service.translation.modalities import must_write
from service.translation.reasoning import pieces
from service.translation.response import (
    Metadata,
    finish_reason,
    first_candidate,
    is_blocked,
    is_final,
    malformed,
)
from service.translation.safety import to_safety_settings
from service.translation.sampling import NO_CONFIG, ignored_sampling, to_sampling
from service.translation.thinking import asked_to_think, to_thinking_config
from service.translation.usage import to_usage, total

#: Each is a call to Gemini.
MOST_CHOICES = 128


def prompts(request: CompletionRequest) -> list[str]:
    """Return the text of each choice; raise `InvalidRequestError` for what is none."""
    given = [request.prompt] if isinstance(request.prompt, str) else request.prompt
    texts = [text for text in given if isinstance(text, str)]
    if len(texts) < len(given):
        msg = "The prompt must be text: tokens of OpenAI's models mean nothing to Gemini."
        raise InvalidRequestError(msg, param="prompt", code="invalid_type")
    if not texts:
        raise InvalidRequestError("There is no prompt.", param="prompt", code="empty_array")
    choices = [text for text in texts for _ in range(request.n or 1)]
    if len(choices) > MOST_CHOICES:
        msg = f"At most {MOST_CHOICES} choices can be made at once."
        raise InvalidRequestError(msg, param="prompt", code="array_above_max_length")
    return choices


def to_gemini(
    request: CompletionRequest, model: Model, defaults: Defaults
) -> list[gemini.GenerateContentRequest]:
    """Translate into one request for each choice; raise `InvalidRequestError`."""
    if request.suffix:
        msg = "Gemini cannot be told what comes after the text: leave 'suffix' out."
        raise InvalidRequestError(msg, param="suffix", code="unsupported_parameter")
    must_write(model)
    config = to_sampling(request, model, request.max_tokens)
    config.thinking_config = to_thinking_config(request, model, defaults._replace(reasoning="none"))
    return [
        gemini.GenerateContentRequest(
            contents=[gemini.Content("user", [gemini.Part(text=prompt) if prompt else BLANK])],
            generation_config=None if config == NO_CONFIG else config,
            safety_settings=to_safety_settings(request, defaults),
        )
        for prompt in prompts(request)
    ]


def ignored_params(request: CompletionRequest, model: Model) -> list[str]:
    """Name what the client asked for and will not get."""
    names = ignored_sampling(request, model)
    if (request.best_of or 1) > (request.n or 1):
        names.append("best_of")
    if request.logprobs is not None:
        names.append("logprobs")
    if model.thinking is None:
        names += asked_to_think(request)
    return sorted(names)


def to_completion(
    responses: Sequence[gemini.GenerateContentResponse],
    metadata: Metadata,
    *,
    before: Sequence[str],
) -> Completion:
    """Translate one response for each choice; raise `UpstreamResponseError` as in chat.

    Args:
        responses: Gemini's, in the order of the choices.
        metadata: of the completion.
        before: what stands before each text: the prompt, for a client that wants its echo.

    """
    choices = []
    for index, (response, echo) in enumerate(zip(responses, before, strict=True)):
        candidate = first_candidate(response)
        text = _text(candidate)
        native, blocked = candidate.finish_reason, is_blocked(response)
        reason = finish_reason(native, blocked=blocked, empty=not text)
        choices.append(CompletionChoice(text=echo + text, index=index, finish_reason=reason))
    return Completion(
        id=metadata.id,
        created=metadata.created,
        model=metadata.model,
        choices=choices,
        usage=total([to_usage(response.usage_metadata) for response in responses]),
    )


def _text(candidate: gemini.Candidate) -> str:
    return "".join([piece.text for piece in pieces(candidate) if not piece.thought])


class _Progress:
    """How far one choice has come."""

    def __init__(self, echo: str) -> None:
        self.echo = echo
        self.empty = True
        self.native: str | None = None
        self.blocked = False
        self.usage: gemini.UsageMetadata | None = None

    @property
    def finished(self) -> bool:
        return self.native is not None or self.blocked


class CompletionTranslator:
    """Translates the streams of all choices; what is pushed says which one it is from."""

    def __init__(self, metadata: Metadata, *, before: Sequence[str], include_usage: bool) -> None:
        self._metadata = metadata
        self._include_usage = include_usage
        self._choices = [_Progress(echo) for echo in before]

    def rename(self, model: str) -> None:
        """Take the name of the model that answers, before its first response."""
        self._metadata = self._metadata._replace(model=model)

    def push(self, numbered: tuple[int, gemini.GenerateContentResponse]) -> list[Completion]:
        """Take a response; return what says the same. Raise `UpstreamMalformedError`."""
        index, response = numbered
        progress, candidate = self._choices[index], first_candidate(response)
        if response.usage_metadata is not None:
            progress.usage = response.usage_metadata
        progress.blocked = progress.blocked or is_blocked(response)
        native = candidate.finish_reason
        if native is not None and is_final(native):
            if native in gemini.MALFORMED:
                raise malformed(native)
            progress.native = native
        text = _text(candidate)
        if not text:
            return []
        progress.empty = False
        return [self._piece(index, self._echo(progress) + text)]

    @staticmethod
    def _echo(progress: _Progress) -> str:
        echo, progress.echo = progress.echo, ""
        return echo

    @property
    def finished(self) -> bool:
        return all(progress.finished for progress in self._choices)

    def has_finished(self, index: int) -> bool:
        """Whether that choice is complete, whatever the others are."""
        return self._choices[index].finished

    def finish(self) -> list[Completion]:
        """Return the last chunks; raise `UpstreamResponseError` if an answer did not end."""
        chunks = []
        for index, progress in enumerate(self._choices):
            reason = finish_reason(progress.native, blocked=progress.blocked, empty=progress.empty)
            chunks.append(self._piece(index, self._echo(progress), reason))
        if self._include_usage:
            usage = total([to_usage(progress.usage) for progress in self._choices])
            chunks.append(self._chunk([], usage))
        return chunks

    def break_off(self) -> list[Completion]:
        """Nothing must precede an error here."""
        return []

    def _piece(
        self,
        index: int,
        text: str,
        reason: FinishReason | None = None,
    ) -> Completion:
        choice = CompletionChoice(text=text, index=index, finish_reason=reason)
        return self._chunk([choice], None if self._include_usage else UNSET)

    def _chunk(
        self, choices: list[CompletionChoice], usage: Usage | UnsetType | None
    ) -> Completion:
        return Completion(
            id=self._metadata.id,
            created=self._metadata.created,
            model=self._metadata.model,
            choices=choices,
            usage=usage,
        )

"""How sure the model was of each token."""

from service.schemas import gemini
from service.schemas.openai_chat import ChoiceLogprobs, TokenLogprob, TopLogprob


def logprobs(candidate: gemini.Candidate) -> ChoiceLogprobs | None:
    """Return what Gemini says of the tokens it chose and of those it might have chosen."""
    result = candidate.logprobs_result
    if result is None or not result.chosen_candidates:
        return None
    rivals = result.top_candidates or []
    return ChoiceLogprobs(
        [
            _token(chosen, (rivals[at].candidates or []) if at < len(rivals) else [])
            for at, chosen in enumerate(result.chosen_candidates)
        ]
    )


def _token(
    chosen: gemini.LogprobsCandidate, rivals: list[gemini.LogprobsCandidate]
) -> TokenLogprob:
    return TokenLogprob(
        chosen.text,
        chosen.log_probability,
        _bytes(chosen),
        [TopLogprob(one.text, one.log_probability, _bytes(one)) for one in rivals],
    )


def _bytes(one: gemini.LogprobsCandidate) -> list[int]:
    return list(one.text.encode())

"""Code that Gemini has run, and what came of it, as Markdown in the answer's text.

What stands before and after does not matter to it, so that a stream reads like a whole answer.
"""

import re

from service.schemas import gemini

_FAILURES = {
    "OUTCOME_FAILED": "The code failed.",
    "OUTCOME_DEADLINE_EXCEEDED": "The code ran out of time.",
}


def as_markdown(part: gemini.Part) -> str:
    """Return the part's code or its output in a fence; nothing if it holds neither."""
    if part.executable_code is not None and part.executable_code.code:
        language = (part.executable_code.language or "").lower()
        word = language if re.fullmatch("[a-z0-9]+", language) else ""
        return _fenced(word, part.executable_code.code)
    if part.code_execution_result is not None:
        result = part.code_execution_result
        failure = _FAILURES.get(result.outcome or "")
        text = result.output or failure
        return _fenced("error" if failure else "output", text) if text else ""
    return ""


def _fenced(word: str, text: str) -> str:
    longest = max(map(len, re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"\n{fence}{word}\n{text.rstrip()}\n{fence}\n"

"""B, first half: text, thoughts, media, grounding, and objects that are hardly there."""

from typing import Any

from tests.simulators.calls import Call
from tests.simulators.replies import answer, chunks, thought
from tests.simulators.scenarios.table import ends, generating, says, usage
from tests.simulators.wire import Reply

_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)
_RATING = {
    "category": "HARM_CATEGORY_HARASSMENT",
    "probability": "NEGLIGIBLE",
    "probabilityScore": 0.02,
    "severity": "HARM_SEVERITY_NEGLIGIBLE",
    "severityScore": 0.01,
}
_RATED = {"safetyRatings": [_RATING]}
_CLAIM = "Det regner på Øya."
_TEXT = f"{_CLAIM} Ta paraply."
_SEARCHED = {
    "webSearchQueries": ["oslo weather"],
    "searchEntryPoint": {"renderedContent": "<div>results</div>"},
    "groundingChunks": [
        {"web": {"uri": "https://example.com/yr", "title": "example.com", "domain": "example.com"}}
    ],
    "groundingSupports": [
        {
            "segment": {"endIndex": len(_CLAIM.encode()), "text": _CLAIM},
            "groundingChunkIndices": [0],
            "confidenceScores": [0.97],
        }
    ],
    "retrievalMetadata": {},
}
_CODE = {"executableCode": {"language": "PYTHON", "code": "print(2**10)", "id": "x1"}}


def _ran(outcome: str, **output: str) -> dict[str, Any]:
    return {"codeExecutionResult": {"outcome": outcome, **output, "id": "x1"}}


def _cited(call: Call) -> Reply:
    """The two kinds of API have two names for the list."""
    key = "citationSources" if call.recorded.upstream == "gemini_api" else "citations"
    source = {
        "startIndex": 0,
        "endIndex": 11,
        "uri": "https://example.com/source",
        "license": "mit",
    }
    return answer("Quoted text", candidate={"citationMetadata": {key: [source]}})(call)


def _retrieved(status: str) -> dict[str, Any]:
    found = {"retrievedUrl": "https://example.com/page", "urlRetrievalStatus": status}
    return {"urlContextMetadata": {"urlMetadata": [found]}}


_B30 = chunks(
    [
        {
            "candidates": [
                {"content": {"role": "model", "parts": [{"text": "A1 "}]}},
                {"index": 1, "content": {"role": "model", "parts": [{"text": "B1 "}]}},
            ]
        },
        says("B2", finish="STOP", candidate={"index": 1}),
        says("A2", finish="STOP", usageMetadata=usage(3, 8)),
    ]
)

SCENARIOS = (
    generating(
        "B1",
        "several events of text, no index",
        chunks(
            [says("One, "), says("two, "), says("three.", finish="STOP", usageMetadata=usage(3, 6))]
        ),
    ),
    generating(
        "B2",
        "two thoughts, then text",
        answer(thought("**Plan**\n\nFirst. "), thought("Then."), "Use B."),
    ),
    generating(
        "B3",
        "thoughts and text by turns in one event",
        answer([thought("One. "), {"text": "First. "}, thought("Two."), {"text": "Second."}]),
    ),
    generating("B4", "thought about, but not shown", answer("Use B.", usage=usage(42, 3, 268))),
    generating("B5", "nothing but thoughts", answer(thought("**Plan**\n\nHm."))),
    generating(
        "B6",
        "a signature on empty text",
        answer("Use B.", {"text": "", "thoughtSignature": "AQID"}),
    ),
    generating("B7", "a signature on text", answer({"text": "Use B.", "thoughtSignature": "AQID"})),
    generating(
        "B22",
        "an image between texts",
        answer("Here: ", {"inlineData": {"mimeType": "image/png", "data": _PNG}}, "Done."),
    ),
    generating(
        "B23",
        "code that ran",
        answer("Let me see. ", _CODE, _ran("OUTCOME_OK", output="1024\n"), "It is 1024."),
    ),
    generating(
        "B23-failed",
        "code that failed",
        answer(_CODE, _ran("OUTCOME_FAILED", output="NameError"), "It failed."),
    ),
    generating("B23-silent", "code without output", answer(_CODE, _ran("OUTCOME_OK"), "Done.")),
    generating(
        "B24",
        "grounding with offsets in bytes",
        answer(_CLAIM, " Ta paraply.", candidate={"groundingMetadata": _SEARCHED}),
    ),
    generating("B25", "empty grounding", answer(_TEXT, candidate={"groundingMetadata": {}})),
    generating(
        "B25-chunks",
        "grounding that supports nothing",
        answer(
            _TEXT,
            candidate={"groundingMetadata": {"groundingChunks": _SEARCHED["groundingChunks"]}},
        ),
    ),
    generating("B26", "citations, under the name that the upstream has for them", _cited),
    generating(
        "B27",
        "a page that was read",
        answer("It says hello.", candidate=_retrieved("URL_RETRIEVAL_STATUS_SUCCESS")),
    ),
    generating(
        "B27-error",
        "a page that could not be read",
        answer("I cannot read it.", candidate=_retrieved("URL_RETRIEVAL_STATUS_ERROR")),
    ),
    generating(
        "B28",
        "harmless safety ratings everywhere",
        chunks([says("Safe ", candidate=_RATED), says("text.", finish="STOP", candidate=_RATED)]),
    ),
    generating(
        "B29",
        "log probabilities",
        answer(
            "Hi",
            candidate={
                "avgLogprobs": -0.1,
                "logprobsResult": {
                    "topCandidates": [
                        {
                            "candidates": [
                                {"token": "Hi", "tokenId": 1, "logProbability": -0.1},
                                {"token": "Ho", "tokenId": 2, "logProbability": -2.5},
                            ]
                        }
                    ],
                    "chosenCandidates": [{"token": "Hi", "tokenId": 1, "logProbability": -0.1}],
                },
            },
        ),
    ),
    generating("B30", "two candidates by turns", _B30),
    generating(
        "B30-blocked",
        "two candidates, the second blocked",
        chunks(
            [
                says("A1 "),
                ends("SAFETY", index=1, safetyRatings=[_RATING | {"blocked": True}]),
                says("A2", finish="STOP"),
            ]
        ),
    ),
    generating(
        "B31",
        "the first candidate repeats the second",
        chunks(
            [
                {
                    "candidates": [
                        {
                            "content": {"role": "model", "parts": [{"text": "A"}, {"text": "B"}]},
                            "finishReason": "STOP",
                        },
                        {
                            "index": 1,
                            "content": {"role": "model", "parts": [{"text": "B"}]},
                            "finishReason": "STOP",
                        },
                    ]
                }
            ]
        ),
    ),
    generating("B32", "an empty list of candidates", chunks([{"candidates": []}])),
    generating("B32-usage", "no candidates and no feedback", chunks([{"usageMetadata": usage(3)}])),
    generating("B32-envelope", "an envelope without a response", chunks([None])),
    generating("B32-response", "an empty response", chunks([{}])),
    generating(
        "B33",
        "parts that are hardly there",
        chunks(
            [
                {"candidates": [{"content": {"role": "model", "parts": []}}]},
                says({}),
                says({"thought": True}),
                {"candidates": [{"content": None}]},
                says("Hi", finish="STOP"),
            ]
        ),
    ),
    generating(
        "B34",
        "things that nobody has heard of",
        chunks(
            [
                says({"newThing": {}}, newKey={"a": 1}),
                says(
                    "Hi",
                    finish="FOO",
                    usageMetadata=usage(
                        3, 1, promptTokensDetails=[{"modality": "SMELL", "tokenCount": 3}]
                    ),
                ),
            ]
        ),
    ),
    generating(
        "B35",
        "another model than asked for",
        chunks([says("Hi", finish="STOP", modelVersion="gemini-9-rerouted")]),
    ),
    generating(
        "B36",
        "credits on the last envelope",
        chunks(
            [says("Hel"), says("lo", finish="STOP")],
            envelope={
                "consumedCredits": [{"creditType": "GOOGLE_ONE_AI", "creditAmount": "3"}],
                "remainingCredits": [{"creditType": "GOOGLE_ONE_AI", "creditAmount": "997"}],
            },
        ),
    ),
    generating(
        "B37",
        "to be continued",
        chunks([says("The first half", finish="CONTINUATION", continuationToken="sim-token")]),
    ),
    generating("B38", "events of white space only", answer("a", "\n", " \n", "b", "\n")),
    generating(
        "B39",
        "tags in the text",
        answer("<thin", "king>not thought</thinking> a </th", "ink> **b**"),
    ),
    generating("B40", "JSON, cut anywhere", answer('{"a', '": 1', "}")),
    generating("B40-fenced", "JSON in a fence", answer("```json\n", '{"a": 1}', "\n```")),
)

"""D: usage, wherever and however it comes."""

from tests.simulators.replies import chunks
from tests.simulators.scenarios.table import generating, says, usage

_TRAFFIC = {"trafficType": "ON_DEMAND"}
_END = says("lo", finish="STOP")

SCENARIOS = (
    generating(
        "D1", "in the last event only", chunks([says("Hel"), _END | {"usageMetadata": usage(3, 2)}])
    ),
    generating(
        "D2",
        "cumulative in every event",
        chunks(
            [
                says("a", usageMetadata=usage(3, 1)),
                says("b", usageMetadata=usage(3, 5)),
                says("c", finish="STOP", usageMetadata=usage(3, 9)),
            ]
        ),
    ),
    generating(
        "D3",
        "only the traffic type at first",
        chunks(
            [says("Hel", usageMetadata=_TRAFFIC), _END | {"usageMetadata": usage(3, 2) | _TRAFFIC}]
        ),
    ),
    generating("D4", "none", chunks([says("Hel"), _END])),
    generating("D5", "after the end", chunks([says("Hel"), _END, {"usageMetadata": usage(3, 2)}])),
    generating(
        "D6",
        "cached tokens",
        chunks([_END | {"usageMetadata": usage(100, 2, cachedContentTokenCount=40)}]),
    ),
    generating(
        "D7",
        "tokens of built-in tools",
        chunks(
            [
                _END
                | {
                    "usageMetadata": usage(100, 20, 30)
                    | {"toolUsePromptTokenCount": 10, "totalTokenCount": 160}
                }
            ]
        ),
    ),
    generating(
        "D8",
        "details by modality",
        chunks(
            [
                _END
                | {
                    "usageMetadata": usage(
                        300,
                        2,
                        promptTokensDetails=[
                            {"modality": "TEXT", "tokenCount": 42},
                            {"modality": "IMAGE", "tokenCount": 258},
                        ],
                        candidatesTokensDetails=[{"modality": "TEXT", "tokenCount": 2}],
                    )
                }
            ]
        ),
    ),
    generating(
        "D9",
        "numbers that shrink and do not add up",
        chunks(
            [
                says("Hel", usageMetadata=usage(9, 9)),
                _END | {"usageMetadata": usage(3, 2) | {"totalTokenCount": 99}},
            ]
        ),
    ),
    generating(
        "D10",
        "numbers as text",
        chunks(
            [
                _END
                | {
                    "usageMetadata": {
                        "promptTokenCount": "17",
                        "candidatesTokenCount": "2",
                        "totalTokenCount": "19",
                    }
                }
            ]
        ),
    ),
    generating(
        "D11", "very large numbers", chunks([_END | {"usageMetadata": usage(2**40, 2**33)}])
    ),
)

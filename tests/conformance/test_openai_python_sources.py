"""The official OpenAI SDK for Python finds the sources of an answer, streamed and not."""

import openai

from tests.gateway import API_KEY, HELLO, Gateway
from tests.simulators.google import Google
from tests.simulators.replies import answer

CLAIM = "Det regner på Øya."
TEXT = f"{CLAIM} Ta paraply."
GROUNDED = {
    "groundingMetadata": {
        "groundingChunks": [
            {"web": {"uri": "https://example.com/yr", "title": "yr"}},
            {"web": {"uri": "https://example.com/nrk", "title": "nrk"}},
        ],
        "groundingSupports": [
            {
                "segment": {"endIndex": len(CLAIM.encode()), "text": CLAIM},
                "groundingChunkIndices": [0, 1],
            }
        ],
    }
}


def test_annotations_mark_the_words_that_have_a_source(gateway: Gateway, google: Google) -> None:
    google.script(*[answer(CLAIM, " Ta paraply.", candidate=GROUNDED)] * 2)
    asked = HELLO | {"web_search_options": {}}
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=API_KEY, max_retries=0) as client:
        whole = client.chat.completions.create(**asked).choices[0].message
        with client.chat.completions.stream(**asked) as stream:
            streamed = stream.get_final_completion().choices[0].message
    assert whole.content == streamed.content == TEXT
    for message in (whole, streamed):
        assert message.annotations
        cited = [annotation.url_citation for annotation in message.annotations]
        assert [one.title for one in cited] == ["yr", "nrk"]
        assert {TEXT[one.start_index : one.end_index] for one in cited} == {CLAIM}

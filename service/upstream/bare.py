"""What Vertex AI and the Developer API have in common: a request as it is, an answer as it is."""

import msgspec

from service.interfaces import Answer, AnswerStream
from service.schemas.gemini import Bare, GenerateContentResponse
from service.upstream import native
from service.upstream.answers import Unwrap, open_answer, parse, read_answer
from service.upstream.failures import refusal
from service.upstream.fields import Fitted
from service.upstream.http import GoogleHttp

_encoder = msgspec.json.Encoder()
_answers = msgspec.json.Decoder(Bare)


async def generate(http: GoogleHttp, url: str, fitted: Fitted, name: str) -> Answer:
    """POST to a model's `:generateContent`; raise `GatewayError`."""
    reply = await http.call(f"{url}:generateContent", _encoder.encode(fitted.request))
    return Answer(read_answer(reply, _reader(fitted)), name, fitted.left_out)


async def stream(http: GoogleHttp, url: str, fitted: Fitted, name: str) -> AnswerStream:
    """POST to a model's `:streamGenerateContent`; raise `GatewayError`."""
    url += ":streamGenerateContent?alt=sse"
    body = _encoder.encode(fitted.request)
    answer = await open_answer(http, url, body, _reader(fitted), name)
    answer.left_out = fitted.left_out
    return answer


def _reader(fitted: Fitted) -> Unwrap:
    return native.read if isinstance(fitted.request, dict) else _read


def _read(data: bytes) -> GenerateContentResponse:
    response = parse(_answers, data)
    if response.error is not None:
        raise refusal(200, data)
    return response

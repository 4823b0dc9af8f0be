"""Google's Code Assist API: Gemini for licensed accounts, behind an envelope."""

import msgspec
from msgspec import structs

from service.interfaces import Answer, AnswerStream
from service.models import find_model
from service.schemas.code_assist import Envelope, Reply
from service.schemas.gemini import (
    GenerateContentRequest,
    GenerateContentResponse,
    GenerationConfig,
)
from service.upstream.answers import open_answer, parse, read_answer
from service.upstream.failures import refusal
from service.upstream.fields import fitted
from service.upstream.http import GoogleHttp
from service.upstream.project import Project

NAME = "code_assist"

_encoder = msgspec.json.Encoder()
_replies = msgspec.json.Decoder(Reply)


class CodeAssist:
    """An `Upstream`.

    Args:
        http: authenticates as the user whose licence is used.
        endpoint: scheme, host and port.
        project: the Google Cloud project that the licence belongs to.

    """

    def __init__(self, http: GoogleHttp, *, endpoint: str, project: Project) -> None:
        self._http = http
        self._project = project
        self._generate_url = f"{endpoint}/v1internal:generateContent"
        self._stream_url = f"{endpoint}/v1internal:streamGenerateContent?alt=sse"

    async def generate(self, model: str, request: GenerateContentRequest) -> Answer:
        request, left_out = fitted(request, NAME)
        body = await self._body(model, request)
        reply = await self._http.call(self._generate_url, body)
        return Answer(read_answer(reply, _unwrap), NAME, left_out)

    async def stream(self, model: str, request: GenerateContentRequest) -> AnswerStream:
        request, left_out = fitted(request, NAME)
        body = await self._body(model, request)
        answer = await open_answer(self._http, self._stream_url, body, _unwrap, NAME)
        answer.left_out = left_out
        return answer

    async def _body(self, model: str, request: GenerateContentRequest) -> bytes:
        row = find_model(model)
        config = request.generation_config or GenerationConfig()
        if config.max_output_tokens is None:
            # Left out it would be 8192 here, and long answers would end in the middle.
            config = structs.replace(config, max_output_tokens=row.max_output_tokens)
        envelope = Envelope(
            model=row.code_assist_id or model,
            project=await self._project.id(),
            request=structs.replace(request, generation_config=config),
        )
        return _encoder.encode(envelope)


def _unwrap(data: bytes) -> GenerateContentResponse:
    reply = parse(_replies, data)
    if reply.error is not None:
        raise refusal(200, data)
    return reply.response or GenerateContentResponse()

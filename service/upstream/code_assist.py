"""Google's Code Assist API: Gemini for licensed accounts, behind an envelope."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import structs

from service.interfaces import Answer, AnswerStream, Counted, GeminiRequest
from service.models import find_model
from service.schemas.code_assist import Envelope, Reply
from service.schemas.gemini import (
    GenerateContentRequest,
    GenerateContentResponse,
    GenerationConfig,
)
from service.schemas.gemini_native import NativeEnvelope, NativeRequest
from service.upstream import counting, native
from service.upstream.answers import Unwrap, open_answer, parse, read_answer
from service.upstream.failures import refusal
from service.upstream.fields import fitted
from service.upstream.http import GoogleHttp
from service.upstream.listing import models_with_quota
from service.upstream.project import Project

NAME = "code_assist"

_encoder = msgspec.json.Encoder()
_replies = msgspec.json.Decoder(Reply)


class _Prepared(NamedTuple):
    body: bytes
    unwrap: Unwrap
    left_out: Sequence[str] = ()


class CodeAssist:
    """An `Upstream` and a `TokenCounter`.

    Args:
        http: authenticates as the user whose licence is used.
        endpoint: scheme, host and port.
        project: the Google Cloud project that the licence belongs to.

    """

    def __init__(self, http: GoogleHttp, *, endpoint: str, project: Project) -> None:
        self._http = http
        self._endpoint = endpoint
        self._project = project
        self._generate_url = f"{endpoint}/v1internal:generateContent"
        self._count_url = f"{endpoint}/v1internal:countTokens"
        self._stream_url = f"{endpoint}/v1internal:streamGenerateContent?alt=sse"

    async def generate(self, model: str, request: GeminiRequest) -> Answer:
        body, unwrap, left_out = await self._prepared(model, request)
        reply = await self._http.call(self._generate_url, body)
        return Answer(read_answer(reply, unwrap), NAME, left_out)

    async def stream(self, model: str, request: GeminiRequest) -> AnswerStream:
        body, unwrap, left_out = await self._prepared(model, request)
        answer = await open_answer(self._http, self._stream_url, body, unwrap, NAME)
        answer.left_out = left_out
        return answer

    async def count_tokens(self, model: str, request: NativeRequest) -> Counted:
        asked = counting.for_code_assist(request, find_model(model).code_assist_id or model)
        return await counting.count(self._http, self._count_url, asked, NAME)

    async def list_models(self) -> Sequence[str]:
        return await models_with_quota(self._http, self._endpoint, self._project)

    async def _prepared(self, model: str, request: GeminiRequest) -> _Prepared:
        kept, left_out = fitted(request, NAME)
        if isinstance(kept, dict):
            return _Prepared(await self._native_body(model, kept), native.read_enveloped, left_out)
        return _Prepared(await self._body(model, kept), _unwrap, left_out)

    async def _native_body(self, model: str, fields: native.Fields) -> bytes:
        row = find_model(model)
        if row.max_output_tokens is not None:
            path = ["generationConfig", "maxOutputTokens"]
            fields = native.with_default(fields, path, row.max_output_tokens)
        envelope = NativeEnvelope(row.code_assist_id or model, await self._project.id(), fields)
        return _encoder.encode(envelope)

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

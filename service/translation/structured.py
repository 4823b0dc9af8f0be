"""`response_format`: answers in JSON, with or without a schema."""

from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.openapi_schemas import to_openapi_schema
from service.translation.schemas import to_json_schema

_JSON = "application/json"


def wants_json(request: ChatCompletionRequest) -> bool:
    return request.response_format is not None and request.response_format.type != "text"


def ask_for_json(
    config: gemini.GenerationConfig, request: ChatCompletionRequest, model: Model
) -> None:
    """Ask for JSON if the client does; whether the model can is `plan_tools`' business."""
    wanted = request.response_format
    if wanted is None or wanted.type == "text":
        return
    config.response_mime_type = _JSON
    if wanted.type == "json_schema" and wanted.json_schema and wanted.json_schema.schema:
        schema = wanted.json_schema.schema
        if model.json_schema:
            config.response_json_schema = to_json_schema(schema)
        else:
            config.response_schema = to_openapi_schema(schema, parameters=False)

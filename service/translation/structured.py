"""`response_format`: answers in JSON, with or without a schema."""

from service.models import Model
from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionRequest
from service.translation.openapi_schemas import to_openapi_schema
from service.translation.schemas import to_json_schema

_JSON = "application/json"


def ask_for_json(
    config: gemini.GenerationConfig, request: ChatCompletionRequest, model: Model
) -> None:
    """Ask for JSON where the client does and the model can."""
    wanted = request.response_format
    if wanted is None or wanted.type == "text" or is_json_refused(request, model):
        return
    config.response_mime_type = _JSON
    if wanted.type == "json_schema" and wanted.json_schema and wanted.json_schema.schema:
        schema = wanted.json_schema.schema
        if model.json_schema:
            config.response_json_schema = to_json_schema(schema)
        else:
            config.response_schema = to_openapi_schema(schema, parameters=False)


def is_json_refused(request: ChatCompletionRequest, model: Model) -> bool:
    """Whether the client wants JSON beside functions, and the model can do only one of them."""
    wanted = request.response_format
    if wanted is None or wanted.type == "text" or model.json_with_tools:
        return False
    functions = request.tools or request.functions
    return bool(functions) and "none" not in (request.tool_choice, request.function_call)

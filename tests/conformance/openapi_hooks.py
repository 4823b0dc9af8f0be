"""Loaded by schemathesis: leads its requests on to where there is more to find.

Most of what it makes up would end at a model that does not exist, or at a contradiction that an
OpenAPI document cannot rule out.
"""

from typing import Any

import schemathesis

MODEL = "gemini-2.5-flash"
#: Of what is not a chat.
MODELS = {
    "/v1/embeddings": "gemini-embedding-001",
    "/v1/images/generations": "gemini-2.5-flash-image",
}
METHODS = ("generateContent", "streamGenerateContent", "countTokens")


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    del context, kwargs
    body = case.body
    path = case.operation.path
    if path.endswith("{target}") and case.method == "POST" and isinstance(body, dict | list | str):
        method = METHODS[len(case.path_parameters["target"]) % len(METHODS)]
        case.path_parameters["target"] = f"google/models/{MODEL}:{method}"
    if not isinstance(body, dict):
        return
    if "model" not in body or body["model"] is None or isinstance(body["model"], str):
        body["model"] = MODELS.get(path, MODEL)
    if body.get("logprobs") is None:
        body.pop("top_logprobs", None)

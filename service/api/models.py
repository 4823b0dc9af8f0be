"""`GET /v1/models` and `GET /v1/models/{id}`."""

from litestar import Controller, get
from litestar.params import FromPath
from msgspec import UNSET

from service.api.documentation import ERRORS
from service.models import MODELS, Model, find_model
from service.schemas import openai


class ModelController(Controller):
    path = "/models"
    tags = ["Models"]

    @get(summary="List models", responses={401: ERRORS[401]}, sync_to_thread=False)
    def index(self) -> openai.ModelList:
        """List the models of the table, those that are shut down included."""
        return openai.ModelList(data=[_describe(model) for model in MODELS])

    @get(
        "/{model_id:path}",
        summary="Retrieve a model",
        responses={status: ERRORS[status] for status in (401, 404)},
        sync_to_thread=False,
    )
    def retrieve(self, model_id: FromPath[str]) -> openai.Model:
        """Describe one model, under the name it was asked for. The name may hold a slash."""
        name = model_id.removeprefix("/")
        return _describe(find_model(name), name)


def _describe(model: Model, name: str | None = None) -> openai.Model:
    return openai.Model(
        id=name or model.id,
        created=model.created,
        context_length=model.context_length,
        max_output_tokens=model.max_output_tokens or UNSET,
        inputs=list(model.inputs),
        outputs=list(model.outputs),
        dimensions=model.dimensions or UNSET,
        thinking=model.thinking or UNSET,
        aliases=list(model.aliases) or UNSET,
        deprecated=True if model.shutdown_date else UNSET,
        shutdown_date=model.shutdown_date.isoformat() if model.shutdown_date else UNSET,
    )

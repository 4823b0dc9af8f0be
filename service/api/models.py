"""`GET /v1/models` and `GET /v1/models/{id}`."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from msgspec import UNSET

from service.api.documentation import ERRORS, GUARDED
from service.interfaces import Gateway
from service.models import MODELS, Model, find_model, unaliased
from service.schemas import openai


class ModelController(Controller):
    path = "/models"
    tags = ["Models"]

    @get(summary="List models", responses=GUARDED, sync_to_thread=False)
    def index(self, gateway: NamedDependency[SkipValidation[Gateway]]) -> openai.ModelList:
        """List the operator's own names and the table's models, with those that are shut down."""
        aliases = gateway.settings.aliases
        named = [_describe(find_model(id_), name) for name, id_ in aliases.items()]
        # A name that the operator gave to another model is that model's.
        return openai.ModelList(
            data=[*named, *[_describe(model) for model in MODELS if model.id not in aliases]]
        )

    @get(
        "/{model_id:path}",
        summary="Retrieve a model",
        responses={**GUARDED, 404: ERRORS[404]},
        sync_to_thread=False,
    )
    def retrieve(
        self, model_id: FromPath[str], gateway: NamedDependency[SkipValidation[Gateway]]
    ) -> openai.Model:
        """Describe one model, under the name it was asked for. The name may hold a slash."""
        name = model_id.removeprefix("/")
        return _describe(find_model(unaliased(name, gateway.settings.aliases)), name)


def _describe(model: Model, name: str | None = None) -> openai.Model:
    return openai.Model(
        id=name or model.id,
        created=model.created,
        context_length=model.context_length,
        max_output_tokens=model.max_output_tokens or UNSET,
        inputs=list(model.inputs),
        outputs=list(model.outputs),
        thinking=model.thinking or UNSET,
        aliases=list(model.aliases) or UNSET,
        deprecated=True if model.shutdown_date else UNSET,
        shutdown_date=model.shutdown_date.isoformat() if model.shutdown_date else UNSET,
    )

"""`GET /v1/models` and `GET /v1/models/{id}`; and the same in Google's form, under `/v1beta`."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from msgspec import UNSET

from service.api.documentation import ERRORS
from service.interfaces import Gateway
from service.models import Model, find_model
from service.schemas import openai
from service.schemas.gemini_native import NativeModel, NativeModelList

_NO_SUCH = {status: ERRORS[status] for status in (401, 404)}


class ModelController(Controller):
    path = "/models"
    tags = ["Models"]

    @get(summary="List models", responses={401: ERRORS[401]})
    async def index(self, gateway: NamedDependency[SkipValidation[Gateway]]) -> openai.ModelList:
        """List the models that can be asked for now, with what is known of each."""
        return openai.ModelList(data=[_describe(model) for model in gateway.models()])

    @get(
        "/{model_id:path}",
        summary="Retrieve a model",
        responses=_NO_SUCH,
        sync_to_thread=False,
    )
    def retrieve(self, model_id: FromPath[str]) -> openai.Model:
        """Describe one model, under the name it was asked for. The name may hold a slash."""
        name = model_id.removeprefix("/")
        return _describe(find_model(name), name)


class NativeModelController(Controller):
    path = "/models"
    tags = ["Gemini"]

    @get(summary="List models as Google does", responses={401: ERRORS[401]})
    async def index(self, gateway: NamedDependency[SkipValidation[Gateway]]) -> NativeModelList:
        """List them on one page, whatever its size shall be."""
        return NativeModelList([_describe_as_google(model) for model in gateway.models()])

    @get(
        "/{target:path}",
        summary="Retrieve a model as Google describes it",
        responses=_NO_SUCH,
        sync_to_thread=False,
    )
    def retrieve(self, target: FromPath[str]) -> NativeModel:
        return _describe_as_google(find_model(target.removeprefix("/")))


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
        replacement=model.replacement or UNSET,
    )


def _describe_as_google(model: Model) -> NativeModel:
    embeds = "embedding" in model.outputs
    return NativeModel(
        name=f"models/{model.id}",
        display_name=model.id.replace("-", " ").title(),
        input_token_limit=model.context_length,
        output_token_limit=model.max_output_tokens or 0,
        supported_generation_methods=(
            ["embedContent"] if embeds else ["generateContent", "countTokens"]
        ),
        thinking=model.thinking is not None,
    )

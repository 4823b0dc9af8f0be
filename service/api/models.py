"""`GET /v1/models` and `GET /v1/models/{id}`; and the same as Google's two APIs have it."""

import re
from typing import Any

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from msgspec import UNSET

from service.api import google_errors
from service.api.documentation import ERRORS, GOOGLE_ERRORS, GUARDED
from service.errors import UnknownUrlError
from service.interfaces import Gateway
from service.models import Model, find_model, unaliased
from service.schemas import openai
from service.schemas.gemini_native import (
    NativeModel,
    NativeModelList,
    PublisherModel,
    PublisherModelList,
)

_NO_SUCH = {**GUARDED, 404: ERRORS[404]}
_IN_GOOGLES_WORDS = {status: GOOGLE_ERRORS[status] for status in _NO_SUCH}


class ModelController(Controller):
    path = "/models"
    tags = ["Models"]

    @get(summary="List models", responses=GUARDED)
    async def index(
        self,
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> openai.ModelList | NativeModelList:
        """List the operator's own names, and the models that can be asked for now.

        Google's clients have the same path for it, and get it in their form.
        """
        if google_errors.is_googles(request.scope):
            return _list_as_google(gateway)
        return openai.ModelList(data=[_describe(model, name) for name, model in _offered(gateway)])

    @get(
        "/{model_id:path}",
        summary="Retrieve a model",
        responses=_NO_SUCH,
        sync_to_thread=False,
    )
    def retrieve(
        self,
        model_id: FromPath[str],
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> openai.Model | NativeModel:
        """Describe one model, under the name it was asked for. The name may hold a slash."""
        name = model_id.removeprefix("/")
        model = find_model(unaliased(name, gateway.settings.aliases))
        if google_errors.is_googles(request.scope):
            return _describe_as_google(model, name)
        return _describe(model, name)


class NativeModelController(Controller):
    path = "/models"
    tags = ["Gemini"]

    @get(summary="List models as Google does", responses=_IN_GOOGLES_WORDS)
    async def index(self, gateway: NamedDependency[SkipValidation[Gateway]]) -> NativeModelList:
        """List them on one page, whatever its size shall be."""
        return _list_as_google(gateway)

    @get(
        "/{target:path}",
        summary="Retrieve a model as Google describes it",
        responses=_IN_GOOGLES_WORDS,
        sync_to_thread=False,
    )
    def retrieve(
        self, target: FromPath[str], gateway: NamedDependency[SkipValidation[Gateway]]
    ) -> NativeModel:
        name = target.removeprefix("/").removeprefix("models/")
        row = find_model(unaliased(name, gateway.settings.aliases))
        return _describe_as_google(row, name)


class PublisherModelController(Controller):
    tags = ["Gemini"]

    @get(
        ["/publishers/{target:path}", "/projects/{target:path}"],
        summary="List models, or retrieve one, as Vertex AI does",
        responses=_IN_GOOGLES_WORDS,
        sync_to_thread=False,
    )
    def show(
        self,
        target: FromPath[str],
        request: Request[Any, Any, Any],
        gateway: NamedDependency[SkipValidation[Gateway]],
    ) -> PublisherModelList | PublisherModel:
        """List them on one page. Project and location are the gateway's own."""
        match = _PUBLISHED.fullmatch(target)
        if match is None:
            msg = f"Unknown request URL: GET {request.url.path}. It must end in google/models."
            raise UnknownUrlError(msg)
        name = match["model"]
        if name is None:
            return PublisherModelList([_describe_as_vertex(one) for one, _ in _offered(gateway)])
        find_model(unaliased(name, gateway.settings.aliases))
        return _describe_as_vertex(name)


_PUBLISHED = re.compile(
    r"(?:/[^/]+/locations/[^/]+/publishers)?/google/models(?:/(?P<model>[^/]+))?"
)


def _offered(gateway: Gateway) -> list[tuple[str, Model]]:
    """Return the names that a client may use; one that the operator gave is not Google's."""
    own = {name: find_model(id_) for name, id_ in gateway.settings.aliases.items()}
    return list((own | {one.id: one for one in gateway.models() if one.id not in own}).items())


def _describe(model: Model, name: str) -> openai.Model:
    return openai.Model(
        id=name,
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


def _list_as_google(gateway: Gateway) -> NativeModelList:
    return NativeModelList([_describe_as_google(model, name) for name, model in _offered(gateway)])


def _describe_as_google(model: Model, name: str) -> NativeModel:
    embeds = "embedding" in model.outputs
    return NativeModel(
        name=f"models/{name}",
        display_name=_title(name),
        input_token_limit=model.context_length,
        output_token_limit=model.max_output_tokens or 0,
        supported_generation_methods=(
            ["embedContent"] if embeds else ["generateContent", "countTokens"]
        ),
        thinking=model.thinking is not None,
    )


def _describe_as_vertex(name: str) -> PublisherModel:
    return PublisherModel(name=f"publishers/google/models/{name}", display_name=_title(name))


def _title(name: str) -> str:
    return name.replace("-", " ").title()

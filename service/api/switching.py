"""Who is asked: the model that a request names, and those that may stand in for it."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from service.api.choices import Choices, HasOrigin, ManyAnswers, each, origin_of
from service.api.stages import next_stage
from service.api.streaming import Responses
from service.errors import GatewayError, InvalidRequestError, UnsupportedFieldError
from service.interfaces import Answer, Connection, GeminiRequest
from service.models import Model, family_of
from service.settings import Settings
from service.translation.parameters import ignored_params_of


class Question(NamedTuple):
    """A request in the dialect of one model."""

    model: str
    #: One for each choice.
    requests: Sequence[GeminiRequest]
    #: What the model does not take of what the client asked for.
    ignored: Sequence[str]


class Answers:
    """Complete answers, one for each choice."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.responses = [answer.response for answer in answers]
        self.upstream, self.left_out = origin_of(answers)


G = TypeVar("G", bound=HasOrigin)


class Asking:
    """Asks for one answer, and knows what its headers must say.

    Args:
        model: that the client named.
        translate: puts the request into a model's dialect; raises `InvalidRequestError`.
        settings: whether other models may be asked, and what cannot be honoured is refused.
        named: what this endpoint's clients call the fields that an upstream does not take.

    """

    def __init__(
        self,
        model: Model,
        translate: Callable[[Model], Question],
        settings: Settings,
        named: Callable[[Iterable[str]], Sequence[str]] = ignored_params_of,
    ) -> None:
        self._translate = translate
        self._named = named
        self._strict = settings.strict_params
        self._models = family_of(model) if settings.enable_auto_model_switching else [model]
        self._question = self._put(model)  # what is wrong with it is to be said at once
        self.choices = len(self._question.requests)
        #: Of the response; complete when the answer is there.
        self.headers: dict[str, str] = {}
        self._name(self._question.ignored)
        #: The model that stood in for the one that was asked for.
        self.stand_in: str | None = None

    def whole(self, connection: Connection) -> Coroutine[Any, Any, Answers]:
        """Return complete answers; raise `GatewayError`."""
        generate = connection.upstream.generate

        async def ask(question: Question) -> Answers:
            asks = [partial(generate, question.model, one) for one in question.requests]
            answers = Answers(await each(asks))
            await next_stage()
            return answers

        return self._first(connection, ask)

    def stream(
        self, connection: Connection, choices: Choices | None
    ) -> Coroutine[Any, Any, Responses]:
        """Return an answer that has begun; raise `GatewayError`.

        Args:
            connection: whom to ask.
            choices: who takes numbered responses; None for a single answer's own.

        """
        stream = connection.upstream.stream

        async def ask(question: Question) -> Responses:
            asks = [partial(stream, question.model, one) for one in question.requests]
            return await (asks[0]() if choices is None else ManyAnswers.open(asks, choices))

        return self._first(connection, ask)

    async def _first(self, connection: Connection, ask: Callable[[Question], Awaitable[G]]) -> G:
        """Ask the model, and the others of its family while they might be served; raise its error.

        One that is known to be closed on every way is asked last.
        """
        await next_stage()
        failure: GatewayError | None = None
        models = self._models
        if len(models) > 1:
            models = sorted(models, key=lambda one: not connection.is_open(one.id))
        for model in models:
            is_wanted = model is self._models[0]
            try:
                question = self._question if is_wanted else self._put(model)
                given = await ask(question)
            except UnsupportedFieldError as error:
                self._refuse(self._named(error.fields), f"by way of {error.upstream}")
                raise
            except GatewayError as error:
                if is_wanted:
                    failure = error
                    if not error.other_model:
                        break
            else:
                self._settle(question, given)
                return given
        if failure is None:
            raise RuntimeError("The model itself was never asked.")
        raise failure

    def _put(self, model: Model) -> Question:
        question = self._translate(model)
        self._refuse(question.ignored, f"for {model.id}")
        return question

    def _refuse(self, ignored: Sequence[str], where: str) -> None:
        if ignored and self._strict:
            name = ignored[0]
            msg = f"Unsupported parameter: '{name}'. This gateway cannot honour it {where}."
            raise InvalidRequestError(msg, param=name, code="unsupported_parameter")

    def _settle(self, question: Question, given: HasOrigin) -> None:
        self.headers["x-upstream"] = given.upstream
        self._name([*question.ignored, *self._named(given.left_out)])
        if question is not self._question:
            self.stand_in = question.model
            self.headers["x-model-fallback"] = question.model

    def _name(self, ignored: Sequence[str]) -> None:
        self.headers.pop("x-ignored-params", None)
        if ignored:
            self.headers["x-ignored-params"] = ",".join(sorted(set(ignored)))

"""What is known of the request at hand: for its log line, the metrics and the traces.

Whoever learns something adds it, wherever that is; `service.api.edge` hands it on when the request
has ended. Work that a request starts, and that outlives it, still finds it here.
"""

import secrets
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol


class Trace(NamedTuple):
    """The trace that a request belongs to, as hexadecimal digits."""

    id: str
    parent: str | None  # whose span asked us
    sampled: bool


class Step(NamedTuple):
    """A part of the work of a request: a refresh, a try of an upstream."""

    name: str
    began: float
    ended: float
    code: str | None  # of its failure
    attributes: Mapping[str, str]


class Counts(Protocol):
    """The token counts of one of Google's answers."""

    @property
    def latest(self) -> Any:
        """What has been counted so far; None if nothing has."""
        ...


class Observer(Protocol):
    """Who wants to know what happens in one gateway. Called in its event loop; must be quick."""

    #: Whether spans are made: what they need is kept for those only.
    traces: bool

    def began(self) -> None:
        """Take note that a request has come."""
        ...

    def finished(self, request: "RequestAtHand") -> None:
        """Take note of its end; called once, soon after its last byte has gone out.

        With `traces` that is just before the byte goes out, so that work may be started beside it.
        """
        ...

    def happened(self, event: str, fields: Mapping[str, Any]) -> None:
        """Take note of an event that is no request; see `happened`."""
        ...

    def streaming(self, change: int) -> None:
        """Take note that so many streams more are open."""
        ...


class NoObserver:
    """An `Observer` that does not look."""

    traces = False

    def began(self) -> None: ...

    def finished(self, request: "RequestAtHand") -> None: ...

    def happened(self, event: str, fields: Mapping[str, Any]) -> None: ...

    def streaming(self, change: int) -> None: ...


class RequestAtHand:
    """One request, while it is under way and when it has ended.

    Args:
        fields: of its log line.
        headers: that came with it; never to be logged as they are.
        trace: that it belongs to.
        project: the Google Cloud project whose traces these are.
        observer: of the gateway that it came to.
        clock: seconds.

    """

    __slots__ = (
        "answer_began",
        "began",
        "clock",
        "ended",
        "fields",
        "headers",
        "observer",
        "quiet",
        "size",
        "span",
        "steps",
        "time_ns",
        "trace",
        "trace_fields",
        "usages",
    )

    def __init__(
        self,
        fields: dict[str, Any],
        headers: Mapping[bytes, bytes] | None = None,
        *,
        trace: Trace | None = None,
        project: str | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.fields = fields
        self.headers = headers or {}
        self.observer = observer or NoObserver()
        self.observer.began()
        self.clock = clock
        self.began = clock()
        self.time_ns = time.time_ns()
        self.answer_began: float | None = None
        self.ended: float | None = None
        #: Whether this is a load balancer that hears that all is well.
        self.quiet = False
        #: Bytes of the response's body that have gone out.
        self.size = 0
        #: Google's token counts, of each of its answers.
        self.usages: list[Counts] = []
        self.steps: list[Step] = []
        self.span: str | None = None
        if self.observer.traces:
            trace = trace or Trace(secrets.token_hex(16), None, sampled=True)
            self.span = secrets.token_hex(8)
        self.trace = trace
        self.trace_fields = _trace_fields(trace, self.span, project)

    @property
    def first_byte_seconds(self) -> float | None:
        """How long it took until the answer began, comments that bridge a silence left aside."""
        return None if self.answer_began is None else self.answer_began - self.began

    @property
    def seconds(self) -> float:
        return (self.clock() if self.ended is None else self.ended) - self.began


def _trace_fields(trace: Trace | None, span: str | None, project: str | None) -> dict[str, Any]:
    """Name them as https://cloud.google.com/logging/docs/structured-logging does."""
    if trace is None or project is None:
        return {}
    fields: dict[str, Any] = {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{trace.id}",
        "logging.googleapis.com/trace_sampled": trace.sampled,
    }
    if span or trace.parent:
        fields["logging.googleapis.com/spanId"] = span or trace.parent
    return fields


request_at_hand: ContextVar[RequestAtHand] = ContextVar("request_at_hand")


def annotate(**fields: Any) -> None:
    """Add to the log line of the request at hand; does nothing outside of one."""
    if (request := request_at_hand.get(None)) is not None:
        request.fields.update(fields)


def is_client_gone() -> bool:
    request = request_at_hand.get(None)
    return request is not None and bool(request.fields.get("client_gone"))


def answered(model: str, upstream: str, *, stands_in: bool) -> None:
    """Note who gives the answer.

    Args:
        model: its id.
        upstream: its name.
        stands_in: whether another upstream would have been asked first.

    """
    if (request := request_at_hand.get(None)) is not None:
        fields = request.fields
        another = stands_in or fields.get("model_asked", model) != model
        fields["model"], fields["upstream"] = model, upstream
        fields["fallback"] = another or bool(fields.get("fallback"))


def answer_begins() -> None:
    """Note that the first byte of the answer is about to go out."""
    if (request := request_at_hand.get(None)) is not None and request.answer_began is None:
        request.answer_began = request.clock()


def counting_tokens(usage: Counts) -> None:
    """Remember where the counts of one of Google's answers are, now and as it goes on."""
    if (request := request_at_hand.get(None)) is not None:
        request.usages.append(usage)


def happened(event: str, fields: Mapping[str, Any]) -> None:
    """Let the observer know: of `token_refreshed`, `credentials_refused`, `upstream_closed`."""
    if (request := request_at_hand.get(None)) is not None:
        request.observer.happened(event, fields)


_UNSEEN = nullcontext()


def step(name: str, **attributes: str) -> AbstractContextManager[None]:
    """Around a part of the work that a trace shows."""
    request = request_at_hand.get(None)
    if request is None or not request.observer.traces:
        return _UNSEEN
    return _seen(request, name, attributes)


@contextmanager
def _seen(request: RequestAtHand, name: str, attributes: Mapping[str, str]) -> Generator[None]:
    began = request.clock()
    code: str | None = None
    try:
        yield
    except BaseException as error:
        code = getattr(error, "code", None) or type(error).__name__
        raise
    finally:
        request.steps.append(Step(name, began, request.clock(), code, attributes))


@contextmanager
def streaming() -> Generator[None]:
    """Around an answer that is streamed."""
    request = request_at_hand.get(None)
    observer = request.observer if request is not None else NoObserver()
    observer.streaming(1)
    try:
        yield
    finally:
        observer.streaming(-1)

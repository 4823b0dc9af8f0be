"""The models that can be asked for now: what the upstreams list, and the table where they do not.

Nobody waits for a list: who asks gets what is known, and starts a new look beside the answer.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from service.background import beside_the_answer
from service.errors import GatewayError, ModelNotFoundError
from service.models import Model, find_model, table_of

logger = logging.getLogger(__name__)

#: Seconds for which a list is taken to be true.
REFRESH_SECONDS = 600

Lister = Callable[[], Awaitable[Sequence[str]]]


class Catalog:
    """A `Models`.

    Args:
        listers: bring the ids that an upstream has, by its name, in the operator's order.
        start: starts a look; whoever asked does not wait for it.
        now: seconds.

    """

    def __init__(
        self,
        listers: Mapping[str, Lister],
        *,
        start: Callable[[Coroutine[Any, Any, None]], None] = beside_the_answer,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listers = listers
        self._start = start
        self._now = now
        self._asked_at: float | None = None
        self._listed: dict[str, list[Model]] = {}

    def now_served(self) -> list[Model]:
        """Return the models of all upstreams: those of the table in its order, then the others."""
        if self._asked_at is None or self._now() - self._asked_at >= REFRESH_SECONDS:
            self._asked_at = self._now()
            self._start(self.refresh())
        served: dict[str, Model] = {}
        for name in self._listers:
            rows = self._listed.get(name) or table_of(name)
            served |= {model.id: model for model in rows}
        return in_order(served)

    async def refresh(self) -> None:
        """Ask every upstream; keep what is known of one that fails or lists nothing."""
        await asyncio.gather(*[self._refresh(*item) for item in self._listers.items()])

    async def _refresh(self, name: str, lister: Lister) -> None:
        try:
            ids = await lister()
        except GatewayError as error:
            logger.info("the models of %s could not be listed: %s", name, error.code)
            return
        if models := _known(ids):
            self._listed[name] = models


def in_order(served: Mapping[str, Model]) -> list[Model]:
    table = [model for model in table_of(None) if model.id in served]
    ids = {model.id for model in table}
    return [*table, *(model for model in served.values() if model.id not in ids)]


#: Of Google's own names, what is asked by another protocol.
_OTHERWISE = ("-live", "native-audio")


def _known(ids: Sequence[str]) -> list[Model]:
    """Return Gemini's models among the ids, each once, whatever alias it is listed under."""
    models: dict[str, Model] = {}
    for id_ in ids:
        if not any(word in id_ for word in _OTHERWISE):
            try:
                model = find_model(id_)
            except ModelNotFoundError:
                continue
            models[model.id] = model
    return list(models.values())

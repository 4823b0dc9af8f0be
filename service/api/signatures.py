"""Thought signatures of one request's calls, for clients that do not send them back."""

from collections.abc import Iterable, Sequence

import msgspec

from service.api.streaming import Translator
from service.interfaces import Gateway, SignatureStore
from service.models import Model
from service.schemas.openai_chat import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from service.schemas.openai_tools import ToolCall
from service.translation.kept_signatures import Keys, restored, signed, unsigned


class Signatures:
    """Looks up what the conversation lacks, and keeps what the answer brings.

    Only for models that think: they refuse an unsigned call, or lose their train of thought.

    Args:
        data: the request.
        model: that it goes to.
        owner: what tells the caller from others.

    """

    def __init__(self, data: ChatCompletionRequest, model: Model, owner: bytes) -> None:
        self._data = data
        self._needed = model.thinking is not None
        self._keys = Keys(owner, data.messages)

    async def restored(self, gateway: Gateway) -> ChatCompletionRequest:
        """Return the request, with what signatures are known of those that it lacks."""
        steps = unsigned(self._data.messages, self._keys) if self._needed else []
        if not steps:
            return self._data
        store = (await gateway.connection()).signatures
        return restored(self._data, self._keys, await store.find(steps))

    def keep(self, completion: ChatCompletion, store: SignatureStore) -> None:
        """Keep those of a complete answer."""
        calls = [call for choice in completion.choices for call in choice.message.tool_calls or []]
        if self._needed and (found := signed(calls, self._keys)):
            store.keep(found)

    def watching(self, translator: Translator, store: SignatureStore) -> Translator:
        """Return the translator, with what signatures leave it kept."""
        calls = self._needed and (self._data.tools or self._data.functions)
        return _Watching(translator, self._keys, store) if calls else translator


class _Watching:
    """A `Translator` around another one.

    What comes first is kept at once, beside the answer; what follows it, all together at the end.
    Usually that is nothing: Gemini signs the first of parallel calls.
    """

    def __init__(self, inner: Translator, keys: Keys, store: SignatureStore) -> None:
        self._inner = inner
        self._keys = keys
        self._store = store
        self._began = False
        self._rest: dict[str, str] = {}

    @property
    def finished(self) -> bool:
        return self._inner.finished

    def push(self, response: object) -> Sequence[msgspec.Struct]:
        chunks = self._inner.push(response)
        if calls := list(_calls(chunks)):
            found = signed(calls, self._keys)
            if self._began:
                self._rest |= found
            elif found:
                self._began = True
                self._store.keep(found)
        return chunks

    def finish(self) -> Sequence[msgspec.Struct]:
        self._keep_rest()
        return self._inner.finish()

    def break_off(self) -> Sequence[msgspec.Struct]:
        self._keep_rest()
        return self._inner.break_off()

    def _keep_rest(self) -> None:
        rest, self._rest = self._rest, {}
        if rest:
            self._store.keep(rest)


def _calls(chunks: Iterable[msgspec.Struct]) -> Iterable[ToolCall]:
    for chunk in chunks:
        if isinstance(chunk, ChatCompletionChunk):
            for choice in chunk.choices:
                yield from choice.delta.tool_calls or ()

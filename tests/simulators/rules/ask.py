"""A request that has the right shape, as the rules look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulators.calls import Call, Upstream
from tests.simulators.model_facts import Model
from tests.simulators.world import World

Json = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """The keys are in camelCase and nothing is null: `shape` has seen to that."""

    request: Json
    model: Model
    upstream: Upstream
    operation: str
    stream: bool
    world: World

    @classmethod
    def of(cls, call: Call, message: Json, model: Model) -> "Ask":
        recorded = call.recorded
        assert recorded.upstream is not None
        request = message
        if recorded.upstream == "code_assist":
            request = message.get("request", {})
        elif "generateContentRequest" in message:
            request = message["generateContentRequest"]
        return cls(
            request, model, recorded.upstream, recorded.operation, recorded.stream, call.world
        )

    @property
    def is_vertex_shaped(self) -> bool:
        return self.upstream != "gemini_api"

    @property
    def prefix(self) -> str:
        """How a path into the request begins in Google's messages."""
        return "request." if self.upstream == "code_assist" else ""

    @property
    def contents(self) -> list[Json]:
        contents: list[Json] = self.request.get("contents", [])
        return contents

    @property
    def config(self) -> Json:
        config: Json = self.request.get("generationConfig", {})
        return config

    @property
    def tools(self) -> list[Json]:
        tools: list[Json] = self.request.get("tools", [])
        return tools

    @property
    def declarations(self) -> list[Json]:
        return [item for tool in self.tools for item in tool.get("functionDeclarations", [])]

    @property
    def built_in_tools(self) -> set[str]:
        return {name for tool in self.tools for name in tool} - {"functionDeclarations"}

    @property
    def parts(self) -> Iterator[tuple[str, Json]]:
        """Every part with its path."""
        for at, content in enumerate(self.contents):
            for position, part in enumerate(content.get("parts", [])):
                yield f"{self.prefix}contents[{at}].parts[{position}]", part


def role(content: Json) -> str:
    """`function` is an older name for the user who brings a function's response."""
    given = content.get("role", "user")
    return "user" if given == "function" else given


def members(content: Json, name: str) -> list[Json]:
    """Give what parts of one kind hold, such as every `functionCall`."""
    return [part[name] for part in content.get("parts", []) if name in part]

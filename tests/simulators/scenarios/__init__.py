"""The scenarios of Google's behaviour by their ids, such as `A11`.

    google.play("A11")                        # scripts it
    google.script(*scenario("E22").replies)   # the same, by hand
    model="gemini-sim-a11"                    # plays it on any upstream, unscripted

A scenario whose replies are errors also exists with `-array`, `-sse` and
`-array-sse` after its id: in a list, as `text/event-stream`, and both.
"""

from dataclasses import replace

from tests.simulators.calls import Play
from tests.simulators.errors import Error
from tests.simulators.model_facts import MAGIC
from tests.simulators.scenarios import (
    a_framing,
    a_transport,
    b_calls,
    b_content,
    c_endings,
    d_usage,
    e_quota,
    e_refusals,
    e_streams,
    f_oauth,
    g_setup,
)
from tests.simulators.scenarios.table import Scenario

__all__ = ["SCENARIOS", "Scenario", "is_magic", "magic", "scenario"]

_CONTAINERS = {
    "-array-sse": {"array": True, "content_type": "text/event-stream"},
    "-array": {"array": True},
    "-sse": {"content_type": "text/event-stream"},
}
SCENARIOS: dict[str, Scenario] = {
    found.id: found
    for letter in (
        a_framing,
        a_transport,
        b_content,
        b_calls,
        c_endings,
        d_usage,
        e_refusals,
        e_quota,
        e_streams,
        f_oauth,
        g_setup,
    )
    for found in letter.SCENARIOS
}


def scenario(scenario_id: str) -> Scenario:
    """Find a scenario; raise `KeyError` if there is none of this id."""
    wanted = scenario_id[:1].upper() + scenario_id[1:].lower()
    found = SCENARIOS.get(wanted)
    if found is not None:
        return found
    suffix = next(suffix for suffix in (*_CONTAINERS, "") if wanted.endswith(suffix))
    found = SCENARIOS[wanted.removesuffix(suffix) if suffix else wanted]
    scripts = {
        operation: tuple(_contained(play, suffix) for play in plays)
        for operation, plays in found.scripts.items()
    }
    return replace(found, id=wanted, scripts=scripts)


def _contained(play: Play, suffix: str) -> Play:
    return replace(play, **_CONTAINERS[suffix]) if isinstance(play, Error) else play  # type: ignore[arg-type]


def magic(model: str) -> tuple[Play, ...]:
    """What the model of this id plays; raise `KeyError` if it is not one of the magic models."""
    return scenario(model.removeprefix(MAGIC)).scripts["generate"]


def is_magic(model: str) -> bool:
    try:
        magic(model)
    except KeyError:
        return False
    return True

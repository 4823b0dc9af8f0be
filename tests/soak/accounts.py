"""Every request of a soak is accounted for: what its client saw, and its line in the log."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.soak.kinds import KINDS

_MOST = 20  # of what is unexplained, to print
_ID = "soak-"


@dataclass
class Accounts:
    """What was asked and what came of it; `read` compares that with the log."""

    kinds: dict[str, str] = field(default_factory=dict)  # by the request's id
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    logged: Counter[str] = field(default_factory=Counter)  # lines by the request's id
    #: What nothing explains: one sentence each.
    unexplained: list[str] = field(default_factory=list)
    count_unexplained: int = 0
    _seen: dict[str, str] = field(default_factory=dict)

    def ended(self, id_: str, kind: str, outcome: str) -> None:
        """Take what a client saw of a request."""
        self.kinds[id_] = kind
        self._seen[id_] = outcome
        self.outcomes[kind][outcome] += 1
        if outcome not in KINDS[kind].expected:
            self.blame(f"{id_} ({kind}): the client got {outcome}")

    def blame(self, what: str) -> None:
        self.count_unexplained += 1
        if len(self.unexplained) < _MOST:
            self.unexplained.append(what)

    def read(self, lines: Iterable[bytes]) -> None:
        """Take the whole log."""
        for raw in lines:
            try:
                line: dict[str, Any] = msgspec.json.decode(raw)
            except msgspec.DecodeError:
                self.blame(f"the log has {raw[:200].decode(errors='replace')!r}")
                continue
            if line.get("event") == "request":
                self._take(line)
            elif line.get("severity") in ("ERROR", "CRITICAL"):
                self.blame(f"the log has {line.get('event')}: {line.get('message')}")
        for id_ in self.kinds:
            if self.logged[id_] != 1:
                self.blame(f"{id_} ({self.kinds[id_]}) has {self.logged[id_]} lines in the log")

    @property
    def missing(self) -> int:
        return sum(self.logged[id_] == 0 for id_ in self.kinds)

    @property
    def doubled(self) -> int:
        return sum(self.logged[id_] > 1 for id_ in self.kinds)

    def _take(self, line: dict[str, Any]) -> None:
        id_ = line["request_id"]
        if not id_.startswith(_ID):
            return
        self.logged[id_] += 1
        if id_ not in self.kinds:
            self.blame(f"{id_} is in the log and was never sent")
            return
        kind = KINDS[self.kinds[id_]]
        code = line.get("code")
        said = f"{line['status']} {code}" if code else str(line["status"])
        if said not in kind.logged:
            self.blame(f"{id_} ({self.kinds[id_]}): the log says {said}")
        elif kind.logged == kind.expected and said != self._seen[id_]:
            self.blame(f"{id_}: the log says {said}, the client got {self._seen[id_]}")

"""Names of tools: Gemini refuses some, so it gets others, and the client its own back."""

import hashlib
import re
from collections.abc import Iterable

_LONGEST = 64
_ACCEPTED = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_REFUSED_CHARACTER = re.compile(r"[^A-Za-z0-9_.:-]")
#: Gemini sometimes writes a call as Python would, in a module that it made up.
_INVENTED_PREFIXES = ("default_api.", "default_api:")


class ToolNames:
    """The names in one conversation, both ways.

    A name that Gemini accepts stays as it is. Of the others the same conversation makes the same
    names every time, because what Gemini said before must still fit.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        ours = list(dict.fromkeys(names))
        self._safe = {name: name for name in ours if _ACCEPTED.fullmatch(name)}
        self._ours = dict(self._safe)
        for name in ours:
            self.safe(name)

    def safe(self, name: str) -> str:
        """Return what Gemini is to call it."""
        if name not in self._safe:
            safe = self._free(name)
            self._safe[name] = safe
            self._ours[safe] = name
        return self._safe[name]

    def ours(self, name: str) -> str:
        """Return what the client calls what Gemini called."""
        if name in self._ours:
            return self._ours[name]
        for prefix in _INVENTED_PREFIXES:
            bare = name.removeprefix(prefix)
            if bare != name and bare in self._ours:
                return self._ours[bare]
        return name

    def _free(self, name: str) -> str:
        wanted = _REFUSED_CHARACTER.sub("_", name[: _LONGEST + 1])
        if not _ACCEPTED.match(wanted):
            wanted = f"_{wanted}"
        candidate, tries = wanted, 0
        while len(candidate) > _LONGEST or candidate in self._ours:
            digest = hashlib.sha256(f"{tries}{name}".encode(errors="backslashreplace"))
            suffix = f"_{digest.hexdigest()[:8]}"
            candidate, tries = wanted[: _LONGEST - len(suffix)] + suffix, tries + 1
        return candidate

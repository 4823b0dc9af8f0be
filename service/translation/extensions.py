"""Where a request says more than OpenAI's parameters do."""

from collections.abc import Sequence
from operator import attrgetter

from service.schemas.extensions import Extended, Extensions

_extensions = attrgetter(*Extensions.__struct_fields__)
_NO_EXTENSIONS = _extensions(Extensions())


def places(request: Extended) -> Sequence[Extensions]:
    """Return where extensions stand, the first to be believed first; most requests have none."""
    found: list[Extensions] = []
    if _extensions(request) != _NO_EXTENSIONS:
        found.append(request)
    if request.extra_body is not None:
        found.append(request.extra_body)
    return found


def prefix_of(place: Extensions, request: Extended) -> str:
    """Return what the names of a place's extensions begin with."""
    return "" if place is request else "extra_body."

"""Settings that reach the simulated Google by one way or by several."""

from typing import Any

from service.settings import Secret
from tests.simulators.google import Google


def by(google: Google, *names: str) -> dict[str, Any]:
    """Return what differs from the usual settings for these upstreams, in this order."""
    return {
        "upstreams": ",".join(names),
        "gemini_api_key": Secret("sim-api-key"),
        "gemini_api_endpoint": google.url,
        "vertex_endpoint": google.url,
        "vertex_project": google.project,
        "gce_metadata_host": google.metadata_host,
    }

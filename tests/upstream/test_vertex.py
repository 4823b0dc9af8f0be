"""Where Vertex AI is asked."""

import pytest

from service.settings import SettingsError, load
from service.upstream.vertex import endpoint_of


@pytest.mark.parametrize(
    ("location", "endpoint"),
    [
        ("global", "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("europe-west1", "https://europe-west1-aiplatform.googleapis.com"),
    ],
)
def test_each_kind_of_location_has_its_own_form(location: str, endpoint: str) -> None:
    assert load({"VERTEX_LOCATION": location}).vertex_location == location
    assert endpoint_of(location) == endpoint


@pytest.mark.parametrize("location", ["europe-west1/x", "a.example", "EU WEST", "evil.com#"])
def test_what_is_no_location_stops_the_start(location: str) -> None:
    with pytest.raises(SettingsError, match="VERTEX_LOCATION must be a location"):
        load({"VERTEX_LOCATION": location})

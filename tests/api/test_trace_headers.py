import pytest

from service.api.trace_headers import trace_of
from service.telemetry import Trace

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("parent", "cloud", "expected"),
    [
        (None, None, None),
        (f"00-{ID}-{SPAN}-01", None, Trace(ID, SPAN, sampled=True)),
        (f"00-{ID}-{SPAN}-00", None, Trace(ID, SPAN, sampled=False)),
        (f"cc-{ID}-{SPAN}-03-more", None, Trace(ID, SPAN, sampled=True)),
        (f"00-{ID}-{SPAN}-01", f"{'1' * 32}/2;o=0", Trace(ID, SPAN, sampled=True)),
        (f"ff-{ID}-{SPAN}-01", None, None),
        (f"00-{'0' * 32}-{SPAN}-01", None, None),
        (f"00-{ID}-{'0' * 16}-01", None, None),
        (f"00-{ID.upper()}-{SPAN}-01", None, None),
        ("nonsense", f"{ID}/74;o=1", Trace(ID, "000000000000004a", sampled=True)),
        (None, f"{ID}/74;o=0", Trace(ID, "000000000000004a", sampled=False)),
        (None, f"{ID.upper()}/74", Trace(ID, "000000000000004a", sampled=False)),
        (None, ID, Trace(ID, None, sampled=False)),
        (None, f"{ID}/0;o=1", Trace(ID, None, sampled=True)),
        (None, f"{ID}/99999999999999999999", Trace(ID, None, sampled=False)),
        (None, f"{'0' * 32}/1;o=1", None),
        (None, f"{ID}/not-a-number", None),
    ],
)
def test_a_trace_is_read_from_either_header(
    parent: str | None, cloud: str | None, expected: Trace | None
) -> None:
    given = {b"traceparent": parent, b"x-cloud-trace-context": cloud}
    headers = {name: value.encode() for name, value in given.items() if value is not None}
    assert trace_of(headers) == expected

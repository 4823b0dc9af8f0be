r"""Half of a character, as JSON can carry and UTF-8 cannot.

Programs that cut text between the two halves of an emoji write a lone `\ud83d`. msgspec refuses
the whole document for it; we put the replacement character in its place and go on.
"""

import re

_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# Whatever is escaped otherwise, an escaped backslash above all, is passed over as a unit.
_LONE = re.compile(rb"(%b%b|\\[^u]|\\u(?![dD][89a-fA-F]))|%b|%b" % (_HIGH, _LOW, _HIGH, _LOW))
_ENCODED = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def replace_lone_surrogates(data: bytes) -> bytes:
    r"""Return the JSON text with `\ufffd` for every surrogate escape that has no other half."""
    return _LONE.sub(lambda match: match[1] or rb"\ufffd", data)


def replace_encoded_surrogates(data: bytes) -> bytes:
    """Return the text with U+FFFD for every surrogate that was encoded as if it were a character.

    UTF-8 never has these bytes (RFC 3629 section 3), so valid text stays as it is.
    """
    return _ENCODED.sub("\ufffd".encode(), data)

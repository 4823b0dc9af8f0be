r"""Half of a character, as JSON can carry and UTF-8 cannot.

Programs that cut text between the two halves of an emoji write a lone `\ud83d`. msgspec refuses
the whole document for it; we put the replacement character in its place and go on.
"""

import re

# The backslashes before it tell whether it is an escape, or the end of an escaped backslash.
_SURROGATES = re.compile(
    rb"(?<!\\)(\\++)(u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"((?<=u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2})?"
)
#: More than this is no text that somebody cut, and would hold up everyone else.
_MOST = 100_000
_ENCODED = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def replace_lone_surrogates(data: bytes) -> bytes:
    r"""Return the JSON text with `\ufffd` for every surrogate escape that has no other half.

    Text with very many surrogates is returned as it is.
    """
    if data.count(rb"\ud") + data.count(rb"\uD") > _MOST:
        return data
    return _SURROGATES.sub(_replacement, data)


def _replacement(match: re.Match[bytes]) -> bytes:
    backslashes, first, second = match.groups()
    is_escape = len(backslashes) % 2
    if is_escape and second is None:
        return bytes(backslashes[1:]) + rb"\ufffd"
    if not is_escape and second is not None:
        return bytes(backslashes + first) + rb"\ufffd"
    return match[0]


def replace_encoded_surrogates(data: bytes) -> bytes:
    """Return the text with U+FFFD for every surrogate that was encoded as if it were a character.

    UTF-8 never has these bytes (RFC 3629 section 3), so valid text stays as it is.
    """
    return _ENCODED.sub("\ufffd".encode(), data)

"""Protocol Buffers, as far as Terraform's plugin protocol needs them.

Google's library for them takes a fifth of a second to import, and each command of Terraform
starts the provider several times.
"""

_VARINT, _BYTES = 0, 2


def varint_field(number: int, value: int) -> bytes:
    """Encode a number, or a boolean; 0 is what a missing field means."""
    return _varint(number << 3 | _VARINT) + _varint(value) if value else b""


def message(number: int, content: bytes) -> bytes:
    """Encode a field of text, bytes or a message."""
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def join(*fields: bytes) -> bytes:
    return b"".join(fields)


def parse(encoded: bytes) -> dict[int, bytes]:
    """Return fields of text, bytes or a message by their numbers; of several the last one."""
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(encoded):
        key, position = _read_varint(encoded, position)
        value, position = _read_varint(encoded, position)
        if key & 7 == _BYTES:
            fields[key >> 3] = encoded[position : position + value]
            position += value
    return fields


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _read_varint(encoded: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = encoded[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position

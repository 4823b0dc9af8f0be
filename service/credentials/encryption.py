"""What instances share, sealed: whoever can read Firestore cannot use it without the refresh token.

Import this module in a worker thread: `cryptography` takes a while.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"gemini-openai-gateway/token-cache/v1"
_NONCE_BYTES = 12


class Seal:
    """AES-256-GCM with a key that HKDF-SHA256 (RFC 5869) makes of a refresh token.

    Args:
        refresh_token: whoever has it can open, and could get a token anyway.
        path: of the document, so that what is sealed opens nowhere else.

    """

    def __init__(self, refresh_token: str, path: str) -> None:
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
        self._cipher = AESGCM(hkdf.derive(refresh_token.encode()))
        self._path = path.encode()

    def close(self, text: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), self._path)

    def open(self, sealed: object) -> str | None:
        """Return the text, or None for what this seal did not close."""
        if not isinstance(sealed, bytes):
            return None
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._path
            ).decode()
        except (InvalidTag, ValueError):
            return None

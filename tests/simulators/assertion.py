"""The signed assertion by which a service account asks for a token."""

from collections.abc import Mapping

from google.auth import jwt

_LONGEST = 3600


def assertion_fault(assertion: str, keys: Mapping[str, bytes]) -> str | None:
    """Say what is wrong with an assertion. `keys` has each account's public key or certificate."""
    try:
        issuer = jwt.decode(assertion, verify=False).get("iss", "")  # type: ignore[no-untyped-call]
        if issuer not in keys:
            return "Invalid grant: account not found"
        claims = jwt.decode(assertion, certs=keys[issuer])  # type: ignore[no-untyped-call]
    except ValueError as error:
        if "signature" in str(error):
            return "Invalid JWT Signature."
        return "Invalid JWT: Token must be a short-lived token (60 minutes) and well-formed."
    if not str(claims.get("aud", "")).endswith("/token"):
        return "Invalid JWT: Failed audience check"
    if claims["exp"] - claims["iat"] > _LONGEST:
        return "Invalid JWT: Token must be a short-lived token (60 minutes)."
    return None

"""Where instances share an access token."""

from service.schemas.oauth import AccessToken


class MemoryTokenCache:
    """Shares with nobody: for one instance, or for tests."""

    def __init__(self) -> None:
        self._token: AccessToken | None = None

    async def get(self) -> AccessToken | None:
        return self._token

    async def put(self, token: AccessToken) -> None:
        self._token = token

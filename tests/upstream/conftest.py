"""Fixtures for parts that speak to Google by themselves, without a gateway around them."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest

from service.schemas.oauth import AccessToken
from service.transport import open_transport
from service.upstream.http import GoogleHttp, TimeLimits
from tests.simulators.google import Google


class UserTokens:
    """An `AccessTokens` that has one token."""

    origin: Literal["refresh", "shared", "credential"] = "refresh"

    def __init__(self, value: str) -> None:
        self._token = AccessToken(value, expires_at=float("inf"))

    async def token(self, *, rejected: AccessToken | None = None) -> AccessToken:
        assert rejected is None, "the simulated Google takes its own tokens"
        return self._token


@pytest.fixture
async def http(google: Google) -> AsyncIterator[GoogleHttp]:
    transport = open_transport()
    yield GoogleHttp(transport, UserTokens(google.tokens.issue()), TimeLimits())
    await transport.aclose()

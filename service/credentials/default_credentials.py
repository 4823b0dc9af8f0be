"""Google's library for credentials in files. Import this only in a worker thread: it is slow."""

from datetime import UTC
from typing import Any

import google.auth
import google.oauth2.credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request

from service.errors import CredentialsError, TokenEndpointError
from service.schemas.oauth import AccessToken

_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


class Found:
    """Credentials, and the project that they name."""

    def __init__(self, credentials: Any, project: str | None) -> None:
        self._credentials = credentials
        self.quota_project: str | None = getattr(credentials, "quota_project_id", None)
        self.project = project or self.quota_project

    def refresh(self) -> AccessToken:
        """Get a token; block until it is there.

        Raise `CredentialsError` for a refusal, `TokenEndpointError` for an outage.
        """
        try:
            self._credentials.refresh(Request())
        except TransportError as error:
            msg = "Google's token endpoint could not be reached. Ask again."
            raise TokenEndpointError(msg) from error
        except GoogleAuthError as error:
            if error.retryable:
                msg = "Google's token endpoint gave no token. Ask again."
                raise TokenEndpointError(msg) from error
            raise CredentialsError(
                "Google gives no token for the Application Default Credentials. The operator of "
                "this gateway has to run `gcloud auth application-default login` again, or to "
                "replace the file that GOOGLE_APPLICATION_CREDENTIALS names.",
                code="credentials_revoked",
            ) from error
        expiry = self._credentials.expiry.replace(tzinfo=UTC).timestamp()
        return AccessToken(self._credentials.token, expiry)


def find(token_url: str) -> Found:
    """Find them as all of Google's programs do; raise `CredentialsError`.

    Args:
        token_url: for a person's; the other kinds name it themselves.

    """
    try:
        credentials, project = google.auth.default(scopes=_SCOPES)
    except DefaultCredentialsError as error:
        raise CredentialsError(
            "There are no Application Default Credentials for Vertex AI. Run `gcloud auth "
            "application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the path of a "
            "credentials file.",
            code="credentials_unavailable",
        ) from error
    if isinstance(credentials, google.oauth2.credentials.Credentials):
        credentials = credentials.with_token_uri(token_url)
    return Found(credentials, project)

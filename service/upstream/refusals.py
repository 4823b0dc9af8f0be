"""Everything that Google refuses with, in one table: what it is, and what to do about it.

The first row that fits counts. Its error carries what the client is told (status, type, code),
whether the gateway tries once more (`transient`), whether it goes on to the next way to Gemini, and
how long it leaves this one alone (`closing`).
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from service.errors import (
    CapacityError,
    CredentialsError,
    GatewayError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExhaustedError,
    RateLimitError,
    SignatureRefusedError,
    TokenRateLimitError,
    TooLargeForThisWayError,
    UpstreamDeadlineError,
    UpstreamInternalError,
    UpstreamResponseError,
)
from service.upstream.google_error import GoogleError


class Row(Struct, frozen=True, kw_only=True):
    """One kind of refusal. It fits if the status does, and one of the conditions that it has."""

    statuses: tuple[int, ...]
    error: type[GatewayError]
    #: Conditions: beginnings of Google's reason, a pattern in its words, or in the quotas' names.
    #: A bad request's words may be the client's, so what closes a way for it has to begin them.
    reasons: tuple[str, ...] = ()
    says: str | None = None
    quota: str | None = None
    #: Where the error's own does not fit; and for the calls around generation.
    code: str | None = None
    setup_code: str | None = None
    #: What is said before Google's own words; "" for them alone.
    fact: str = ""
    #: Whether Google's words are kept from the client.
    hides_words: bool = False
    #: "The operator of this gateway has to …"
    remedy: str = ""
    #: Where to read on; what Google names beats it.
    link: str = ""
    #: How long to wait where Google does not say; and whether to heed only what it says of a reset.
    delay: float | None = None
    ignores_delay: bool = False

    def fits(self, google: GoogleError) -> bool:
        if google.code not in self.statuses and self.statuses:
            return False
        if not (self.reasons or self.says or self.quota):
            return True
        return (
            google.reason.startswith(self.reasons or ("\0",))
            or _is_in(self.says, f"{_own_words(google)} {google.field}")
            or _is_in(self.quota, limits(google))
        )

    def sentence(self, said: str) -> str:
        """Return the fact, Google's words, and the way out, as far as there are any."""
        words = "" if self.hides_words else said
        remedy = f"The operator of this gateway has to {self.remedy}." if self.remedy else ""
        return " ".join(filter(None, (f"{self.fact} {words}".strip(), remedy)))

    def links(self, google: GoogleError) -> Iterable[str]:
        return [*google.links, *([self.link] if self.link else [])]


_BAD_REQUEST = 400
_QUOTED = re.compile('["`]')


def _own_words(google: GoogleError) -> str:
    """Return what Google says, of a bad request only what comes before it is quoted."""
    if google.code != _BAD_REQUEST:
        return google.message
    return _QUOTED.split(google.message, maxsplit=1)[0]


def _is_in(pattern: str | None, text: str) -> bool:
    return pattern is not None and re.search(pattern, text, re.IGNORECASE | re.DOTALL) is not None


def limits(google: GoogleError) -> str:
    """Return the names of the quotas that are used up."""
    named = [google.metadata.get(key, "") for key in ("quota_limit", "quota_unit")]
    return " ".join([*google.quota_ids, *named])


_LICENCE = "a Gemini Code Assist Standard or Enterprise licence"
_OTHER_WAY = "or set UPSTREAMS to another way to Gemini (vertex, gemini_api)"
_NEW_KEY = "replace GEMINI_API_KEY"
_BILLING = "https://ai.google.dev/gemini-api/docs/billing"
_KEYS = "https://aistudio.google.com/apikey"

TABLE = (
    Row(
        statuses=(400, 403, 404, 409, 501),
        reasons=("SUBSCRIPTION_REQUIRED",),
        says=(
            "^You do not have a valid licen[sc]e|^You must be a named user"
            "|^Your [a-z ]*account is not eligible for Gemini Code Assist|^[^:/]*#3501"
        ),
        error=PermissionDeniedError,
        setup_code="license_required",
        remedy=(
            f"have whoever administers the licences give the account {_LICENCE}, or log in with "
            f"an account that has one and set GEMINI_PROJECT_ID to its project, {_OTHER_WAY}"
        ),
        link="https://developers.google.com/gemini-code-assist/docs/deprecations/code-assist-individuals",
    ),
    # 400
    Row(
        statuses=(400,),
        reasons=("API_KEY_INVALID",),
        says="^(the |your )?(provided )?API key ",
        error=CredentialsError,
        fact="Google rejected the gateway's API key.",
        hides_words=True,
        remedy=_NEW_KEY,
        link=_KEYS,
    ),
    Row(
        statuses=(400,),
        says="^User location is not supported|^[^:]*not available in your (country|region|loc)",
        error=PermissionDeniedError,
        remedy="run the gateway elsewhere, or to set UPSTREAMS to vertex, which serves more places",
        link="https://ai.google.dev/gemini-api/docs/available-regions",
    ),
    Row(
        statuses=(400,),
        says="^[^:]*enable billing",
        error=PermissionDeniedError,
        remedy="enable billing for the key's project",
        link=_BILLING,
    ),
    Row(
        statuses=(400,),
        says="input token count .*(exceed|only supports)",
        error=InvalidRequestError,
        code="context_length_exceeded",
    ),
    Row(statuses=(400,), says="^Request payload size exceeds", error=TooLargeForThisWayError),
    Row(statuses=(400,), says="thought.?signature", error=SignatureRefusedError),
    Row(statuses=(400,), error=InvalidRequestError, code="invalid_argument"),
    # 401
    Row(
        statuses=(401,),
        error=CredentialsError,
        fact="Google rejected the gateway's credentials, also after a refresh.",
        hides_words=True,
        remedy="renew them; your API key is fine",
    ),
    # 403
    Row(
        statuses=(403,),
        reasons=("VALIDATION_REQUIRED",),
        error=PermissionDeniedError,
        code="validation_required",
        setup_code="validation_required",
        remedy="sign in to this account in a browser and verify it with Google",
    ),
    Row(
        statuses=(403,),
        reasons=("TOS_VIOLATION",),
        error=PermissionDeniedError,
        setup_code="tos_violation",
        remedy=(
            "appeal to Google, which has disabled Code Assist for this account because of its "
            f"terms of service, or log in with another account, {_OTHER_WAY}"
        ),
    ),
    Row(
        statuses=(403,),
        reasons=("SERVICE_DISABLED",),
        error=PermissionDeniedError,
        setup_code="service_disabled",
        remedy="enable the API that Google names, and wait some minutes for it",
    ),
    Row(
        statuses=(403,),
        says="permission '?aiplatform",
        error=PermissionDeniedError,
        remedy=(
            "give the identity of the service the role roles/aiplatform.user in the project that "
            "VERTEX_PROJECT names"
        ),
        link="https://cloud.google.com/vertex-ai/docs/general/access-control",
    ),
    Row(
        statuses=(403,),
        reasons=("IAM_PERMISSION_DENIED",),
        error=PermissionDeniedError,
        setup_code="iam_permission_denied",
        remedy=(
            "have the project's administrator give the account the role "
            "roles/cloudaicompanion.user, or set GEMINI_PROJECT_ID to a project where it has that "
            "role"
        ),
        link="https://cloud.google.com/gemini/docs/codeassist/set-up-gemini",
    ),
    Row(
        statuses=(403,),
        reasons=("SECURITY_POLICY_VIOLATED", "RESOURCE_USAGE_RESTRICTION_VIOLATED"),
        error=PermissionDeniedError,
        remedy="have the organization's policy (VPC Service Controls) let the gateway through",
        link="https://cloud.google.com/vpc-service-controls/docs/troubleshooting",
    ),
    Row(
        statuses=(403,),
        reasons=("CONSUMER_INVALID",),
        error=PermissionDeniedError,
        remedy="set GEMINI_PROJECT_ID or VERTEX_PROJECT to a project that exists",
    ),
    Row(
        statuses=(403,),
        reasons=("BILLING_DISABLED",),
        error=PermissionDeniedError,
        remedy="enable billing for the project",
        link="https://cloud.google.com/billing/docs/how-to/modify-project",
    ),
    Row(
        statuses=(403,),
        reasons=("ACCESS_TOKEN_SCOPE_INSUFFICIENT",),
        says="insufficient authentication scopes",
        error=PermissionDeniedError,
        remedy="log in again and to consent to everything (`python -m service credentials login`)",
    ),
    Row(
        statuses=(403,),
        reasons=("API_KEY_",),
        error=PermissionDeniedError,
        remedy="let the restrictions of GEMINI_API_KEY allow this API, and requests from here",
        link="https://cloud.google.com/docs/authentication/api-keys#securing",
    ),
    Row(
        statuses=(403,),
        says="reported as leaked|unregistered callers",
        error=PermissionDeniedError,
        remedy=_NEW_KEY,
        link=_KEYS,
    ),
    Row(statuses=(403,), error=PermissionDeniedError),
    # 404, 408, 413
    Row(
        statuses=(404,),
        error=ModelNotFoundError,
        fact="Gemini does not offer this model to this account or project:",
    ),
    Row(statuses=(408, 499, 504), error=UpstreamDeadlineError),
    Row(statuses=(413,), error=TooLargeForThisWayError),
    # 429, and the 503 that is of its kind
    Row(
        statuses=(429, 503),
        reasons=("MODEL_CAPACITY_EX",),
        says="no capacity available|MODEL_CAPACITY_EX",
        error=CapacityError,
    ),
    Row(
        statuses=(429,),
        says=r"limit:\s*0(?!\d|\.\d)",
        ignores_delay=True,  # it never comes back
        error=QuotaExhaustedError,
        remedy="choose a plan that includes this model, or to offer another one",
        link="https://ai.google.dev/gemini-api/docs/rate-limits",
    ),
    Row(
        statuses=(429,),
        quota=r"PerDay|Daily|per day|(^| )1/d/",
        says="per day",
        error=QuotaExhaustedError,
        ignores_delay=True,  # it is a minute's
    ),
    Row(
        statuses=(429,),
        reasons=("INSUFFICIENT_G1_CREDITS_BALANCE",),
        error=QuotaExhaustedError,
        remedy=f"buy credits, {_OTHER_WAY}",
    ),
    Row(
        statuses=(429,),
        says="credits are depleted",
        error=QuotaExhaustedError,
        remedy="buy credits for the project of GEMINI_API_KEY",
        link=_BILLING,
    ),
    Row(
        statuses=(429,),
        reasons=("QUOTA_EXHAUSTED",),
        says="quota reached",
        error=QuotaExhaustedError,
    ),
    Row(statuses=(429,), quota="token.*PerMinute", error=TokenRateLimitError, delay=60),
    Row(statuses=(429,), quota="token", error=TokenRateLimitError),
    Row(statuses=(429,), quota="PerMinute", error=RateLimitError, delay=60),
    Row(statuses=(429,), error=RateLimitError),
    # 5xx, and what is none of these
    Row(statuses=(500,), error=UpstreamInternalError),
    Row(statuses=(503,), error=OverloadedError),
    Row(statuses=(), error=UpstreamResponseError),
)


def row_of(google: GoogleError) -> Row:
    """Return the row of the table that an error is in."""
    return next(row for row in TABLE if row.fits(google))

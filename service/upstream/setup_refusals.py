"""Why Code Assist does not serve an account, and what its operator has to do about it.

Each reason is an error code of its own, with a sentence that names the way out, Google's own words
and Google's link.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from service.errors import GatewayError, PermissionDeniedError
from service.schemas.code_assist import IneligibleTier
from service.upstream.failures import quotable, refusal, said_by, with_link
from service.upstream.google_error import GoogleError, read_error
from service.upstream.refusals import TABLE, row_of


class SecurityPolicyError(PermissionDeniedError):
    """VPC Service Controls forbid a call.

    Args:
        said: Google's sentence.
        links: Google's.

    """

    def __init__(self, said: str, links: Iterable[str]) -> None:
        super().__init__(_sentences("permission_denied", [said], links))
        self.said = said


_LICENCE = "a Gemini Code Assist Standard or Enterprise licence"
_SET_PROJECT = "set GEMINI_PROJECT_ID to the id of the Google Cloud project of that licence"

#: "The operator of this gateway has to …"
_REMEDIES = {
    "unsupported_client": f"log in with an account that has {_LICENCE}, and {_SET_PROJECT}",
    "dasher_user": (
        f"have an administrator of this Google Workspace give the account {_LICENCE}, "
        f"and {_SET_PROJECT}"
    ),
    "ineligible_account": f"log in with another account, one that has {_LICENCE}",
    "non_user_account": "log in as a person: Code Assist does not take service accounts",
    "restricted_age": (
        "confirm in the settings of this Google account that its owner is of age, "
        "or log in with another account"
    ),
    "restricted_network": (
        "run the gateway in a network that Google accepts, without a VPN or proxy, "
        f"or log in with an account that has {_LICENCE}"
    ),
    "unknown": (
        "log in to the Gemini CLI with this account to learn more, "
        f"or use another account, one that has {_LICENCE}"
    ),
    "unknown_location": (
        "run the gateway in a network whose country Google can tell, without a VPN or proxy, "
        f"or log in with an account that has {_LICENCE}"
    ),
    "unsupported_location": (
        "run the gateway in a country where Google offers Code Assist, "
        f"or log in with an account that has {_LICENCE}"
    ),
    "project_required": (
        "set GEMINI_PROJECT_ID to the id of the Google Cloud project that the account's licence "
        "of Gemini Code Assist belongs to"
    ),
    **{row.setup_code: row.remedy for row in TABLE if row.setup_code},
    "permission_denied": (
        "set GEMINI_PROJECT_ID to a project in which the account may use Code Assist, "
        "or log in with another account"
    ),
    "setup_refused": (
        "log in to the Gemini CLI once with this account, which sets it up, "
        "or set GEMINI_PROJECT_ID to a project in which the account may use Code Assist"
    ),
}
_FACTS = {
    "project_required": "Code Assist names no Google Cloud project for the account of this gateway."
}
#: for the reasons that Google may add
_ANY_REMEDY = f"do as Google says, or log in with another account, one that has {_LICENCE}"


def not_served(code: str, said: Iterable[str] = (), links: Iterable[str] = ()) -> GatewayError:
    """Make the error for an account that Code Assist does not serve.

    Args:
        code: of the error; chooses the sentence that says what to do.
        said: Google's sentences, as they are to be passed on.
        links: Google's; the first that is not in a sentence is added.

    """
    return PermissionDeniedError(_sentences(code, said, links), code=code)


def _sentences(code: str, said: Iterable[str], links: Iterable[str]) -> str:
    quoted = " ".join(dict.fromkeys(sentence for sentence in said if sentence))
    fact = _FACTS.get(code, "Code Assist refused the account of this gateway.")
    remedy = f"The operator of this gateway has to {_REMEDIES.get(code, _ANY_REMEDY)}."
    words = [fact, remedy, f"Google says: {quoted}" if quoted else ""]
    return with_link(" ".join(filter(None, words)), links)


def ineligible(tiers: Sequence[IneligibleTier]) -> GatewayError:
    """Choose the error for an account that may have none of these tiers; at least one is given."""
    return not_served(
        _snake_case(tiers[0].reason_code),
        [quotable(tier.reason_message or tier.validation_error_message or "") for tier in tiers],
        [
            link
            for tier in tiers
            for link in (tier.validation_url, tier.validation_learn_more_url)
            if link
        ],
    )


def _snake_case(reason: str | None) -> str:
    return re.sub(r"\W+", "_", (reason or "unknown").lower())


# A 4xx that speaks of the account and not of the moment; 401 and 429 are the same for every call.
_FINAL = {400, 403, 404, 409, 501}


def setup_refusal(
    http_status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> GatewayError:
    """Choose the error for a refused call around generation; see `failures.refusal`."""
    google = read_error(http_status, body)
    if google.code not in _FINAL:
        return refusal(http_status, body, headers)
    said = said_by(google)
    if google.reason == "SECURITY_POLICY_VIOLATED":
        return SecurityPolicyError(said, google.links)
    return not_served(_code(google), [said], google.links)


def _code(google: GoogleError) -> str:
    if code := row_of(google).setup_code:
        return code
    return "permission_denied" if google.code == 403 else "setup_refused"  # noqa: PLR2004

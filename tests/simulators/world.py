"""What the simulated Google knows and may be told: tokens, clients, keys, projects, switches."""

import secrets
from dataclasses import dataclass, field, fields

from tests.simulators.tokens import Tokens

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Code:
    """An authorization code: what the consent page remembers until it is exchanged."""

    redirect_uri: str
    challenge: str | None  # PKCE, S256


@dataclass(eq=False, repr=False)
class World:
    """Settings that a test may change; `reset` puts all of them back."""

    tokens: Tokens = field(default_factory=Tokens)
    client_id: str = "sim-client-id.apps.googleusercontent.com"
    client_secret: str = "sim-client-secret"
    refresh_tokens: set[str] = field(default_factory=lambda: {"1//sim-refresh"})
    revoked_refresh_tokens: set[str] = field(default_factory=set)
    codes: dict[str, Code] = field(default_factory=dict)
    used_codes: set[str] = field(default_factory=set)
    service_accounts: dict[str, bytes] = field(default_factory=dict)  # e-mail -> public key, PEM
    email: str = "somebody@example.com"

    api_keys: set[str] = field(default_factory=lambda: {"sim-api-key"})
    models: set[str] = field(default_factory=set)  # ids to know besides the usual ones
    retired: set[str] = field(default_factory=set)  # ids to know no more
    project: str = "sim-project"
    location: str = "europe-west1"
    preview_access: bool = True  # Code Assist: does the account see preview models?
    global_setting: dict[str, object] = field(default_factory=dict)

    most_instances: int = 250  # Vertex AI: texts that one `:predict` embeds

    strict: bool = True  # refuse the bodies that Google refuses
    takes_response_ids: bool = True  # Vertex AI: older versions refuse functionResponse.id
    inline_limits: dict[str, int] = field(
        default_factory=lambda: {
            "code_assist": 20 * MEBIBYTE,
            "gemini_api": 100 * MEBIBYTE,
            "vertex": 20 * MEBIBYTE,
        }
    )
    pace: float = 0.0  # seconds between the events of the default answer
    scale: float = 1.0  # multiplies every pause of a scripted reply
    positions: dict[str, int] = field(default_factory=dict)  # where each magic model has got to

    def reset(self) -> None:
        """Forget every setting, but not the tokens that were given out."""
        self.tokens.reset()
        fresh = World(tokens=self.tokens)
        for setting in fields(World):
            setattr(self, setting.name, getattr(fresh, setting.name))

    def authorize(self, redirect_uri: str, *, challenge: str | None = None) -> str:
        """Consent, as a person would in the browser; return the authorization code."""
        code = f"4/sim-{secrets.token_hex(8)}"
        self.codes[code] = Code(redirect_uri, challenge)
        return code

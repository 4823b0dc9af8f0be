import pytest

from service.settings import Secret, Settings, SettingsError, load


def test_defaults() -> None:
    settings = load({})
    assert settings == Settings()
    assert (settings.listen_host, settings.port, settings.api_keys) == ("127.0.0.1", 8080, [])


@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        ({"PORT": "9000"}, "port", 9000),
        ({"PORT": ""}, "port", 8080),
        ({"PORT": "  "}, "port", 8080),
        ({"STREAM_BY_DEFAULT": "true"}, "stream_by_default", True),
        ({"STREAM_BY_DEFAULT": "TRUE"}, "stream_by_default", True),
        ({"STREAM_BY_DEFAULT": "1"}, "stream_by_default", True),
        ({"STREAM_BY_DEFAULT": "False"}, "stream_by_default", False),
        ({"STREAM_BY_DEFAULT": "0"}, "stream_by_default", False),
        ({"SSE_KEEPALIVE_SECONDS": "0.5"}, "sse_keepalive_seconds", 0.5),
        ({"LOG_LEVEL": "WARNING"}, "log_level", "warning"),
        ({"GEMINI_PROJECT_ID": "my-proj"}, "gemini_project_id", "my-proj"),
        ({"SECRET_MANAGER_ENDPOINT": "[::1]:1"}, "secret_manager_endpoint", "[::1]:1"),
        ({"GOOGLE_CLOUD_PROJECT": "own"}, "google_cloud_project", "own"),
        ({"HOST": "::1"}, "listen_host", "::1"),
        ({"K_SERVICE": "gw", "OPENAI_API_KEY": "k"}, "listen_host", "0.0.0.0"),  # noqa: S104
    ],
)
def test_values_are_read(environ: dict[str, str], name: str, value: object) -> None:
    assert getattr(load(environ), name) == value


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "http", "a whole number from 0 to 65535"),
        ("PORT", "70000", "a whole number from 0 to 65535"),
        ("STREAM_BY_DEFAULT", "yes please", "true, false, 1 or 0"),
        ("LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("LOG_FORMAT", "xml", "one of json, text"),
        ("SSE_KEEPALIVE_SECONDS", "0", "a number of seconds above 0"),
        ("UPSTREAM_IDLE_SECONDS", "soon", "a number of seconds above 0"),
        ("MAX_REQUEST_BYTES", "-1", "a whole number of bytes above 0"),
        ("MAX_CONCURRENT_REQUESTS", "0", "a whole number above 0"),
        ("GEMINI_PROJECT_ID", "123456789012", "the id of a Google Cloud project"),
        ("CODE_ASSIST_ENDPOINT", "example.com", "scheme, host and port"),
        ("CODE_ASSIST_ENDPOINT", "https://example.com/v1", "scheme, host and port"),
        ("OAUTH_TOKEN_URL", "token", "a URL"),
        ("OPENAI_API_KEY", " , ", "a key, or several"),
        ("SECRET_MANAGER_ENDPOINT", "http://127.0.0.1:1", "host and port"),
        ("SECRET_MANAGER_ENDPOINT", "localhost", "host and port"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({name: value})
    assert str(raised.value).startswith(f"{name} must be")
    assert allowed in str(raised.value)


@pytest.mark.parametrize(
    "value",
    [
        "sm://oauth",
        "sm://oauth/versions/3",
        "sm://oauth/versions/latest",
        "sm://projects/my-proj/secrets/oauth",
        "sm://projects/example.com:my-proj/secrets/oauth",
        "sm://projects/123456/secrets/O_auth-2/versions/canary",
    ],
)
def test_a_secret_may_be_a_reference(value: str) -> None:
    secret = load({"GCP_SERVICE_ACCOUNT": value}).gcp_service_account
    assert secret is not None
    assert secret.reference == value


def test_an_inline_secret_is_no_reference() -> None:
    assert Secret('{"refresh_token": "sm://1"}').reference is None


@pytest.mark.parametrize(
    "value",
    [
        "sm://",
        "sm://oauth/",
        "sm://oauth/3",
        "sm://oauth/versions",
        "sm://oauth/versions/",
        "sm://oauth/versions/1/2",
        "sm://my oauth",
        "sm://oäuth",
        "sm://projects/my-proj",
        "sm://projects/my-proj/oauth",
        "sm://projects/My_Proj/secrets/oauth",
        "sm://projects//secrets/oauth",
        "sm://one,sm://two",
        pytest.param("inline, sm://two", id="a reference in a list"),
    ],
)
@pytest.mark.parametrize("name", ["GCP_SERVICE_ACCOUNT", "OAUTH_CLIENT_SECRET", "OPENAI_API_KEY"])
def test_a_wrong_reference_is_refused_with_the_forms_that_work(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({name: value})
    assert str(raised.value) == (
        f"{name} must be the secret itself, or one reference to it in Secret Manager: sm://S, "
        "sm://S/versions/V, sm://projects/P/secrets/S or sm://projects/P/secrets/S/versions/V."
    )
    assert raised.value.__suppress_context__


def test_cloud_run_without_a_key_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"OPENAI_API_KEY.*ALLOW_UNAUTHENTICATED"):
        load({"K_SERVICE": "gateway"})
    assert load({"K_SERVICE": "gateway", "ALLOW_UNAUTHENTICATED": "true"}).on_cloud_run
    assert load({"K_SERVICE": "gateway", "OPENAI_API_KEY": "k"}).on_cloud_run


@pytest.mark.parametrize("value", ["AIza\N{EN DASH}KEY", "AIza\nKEY", "AIza\x7fKEY"])
def test_a_key_for_google_must_fit_into_a_header(value: str) -> None:
    with pytest.raises(SettingsError, match="GEMINI_API_KEY must be a key") as raised:
        load({"GEMINI_API_KEY": value})
    assert "AIza" not in str(raised.value)
    assert load({"GEMINI_API_KEY": "sm://key\n"}).gemini_api_key


def test_several_keys_are_separated_by_commas() -> None:
    keys = load({"OPENAI_API_KEY": "one, two,,"}).api_keys
    assert [key.reveal() for key in keys] == ["one", "two"]


def test_secrets_do_not_print_themselves() -> None:
    environ = {"OPENAI_API_KEY": "k-123", "GCP_SERVICE_ACCOUNT": "{tok-123}"}
    assert "123" not in repr(load({**environ, "OAUTH_CLIENT_SECRET": "s-123"}))
    assert "123" not in f"{Secret('s-123')}"

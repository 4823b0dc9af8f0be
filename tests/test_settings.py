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
        ("GEMINI_PROJECT_ID", "123456789012", "the id of a Google Cloud project"),
        ("CODE_ASSIST_ENDPOINT", "example.com", "scheme, host and port"),
        ("CODE_ASSIST_ENDPOINT", "https://example.com/v1", "scheme, host and port"),
        ("OAUTH_TOKEN_URL", "token", "a URL"),
        ("OPENAI_API_KEY", " , ", "a key, or several"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({name: value})
    assert str(raised.value).startswith(f"{name} must be")
    assert allowed in str(raised.value)


def test_cloud_run_without_a_key_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"OPENAI_API_KEY.*ALLOW_UNAUTHENTICATED"):
        load({"K_SERVICE": "gateway"})
    assert load({"K_SERVICE": "gateway", "ALLOW_UNAUTHENTICATED": "true"}).on_cloud_run
    assert load({"K_SERVICE": "gateway", "OPENAI_API_KEY": "k"}).on_cloud_run


def test_several_keys_are_separated_by_commas() -> None:
    keys = load({"OPENAI_API_KEY": "one, two,,"}).api_keys
    assert [key.reveal() for key in keys] == ["one", "two"]


def test_secrets_do_not_print_themselves() -> None:
    environ = {"OPENAI_API_KEY": "k-123", "GCP_SERVICE_ACCOUNT": "{tok-123}"}
    assert "123" not in repr(load({**environ, "OAUTH_CLIENT_SECRET": "s-123"}))
    assert "123" not in f"{Secret('s-123')}"

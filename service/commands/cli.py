"""The command line. Imported only when the arguments ask for more than `serve`."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable

import click
import msgspec
from click.exceptions import NoArgsIsHelpError
from rich.console import Console
from rich.text import Text

from service import logs
from service import settings as environment
from service.commands.destination import Destination, destination, secret_store
from service.commands.doctor import Examination, Outcome
from service.commands.importing import configured_client, document_of, import_credential
from service.commands.login import Answered, ask_for_consent
from service.credentials.authorization_code import OAuthClient, exchange
from service.errors import CredentialsError, GatewayError
from service.schemas.oauth import Credential
from service.settings import Settings, SettingsError
from service.transport import open_transport

_PROGRAM = "python -m service"
_EXIT_USAGE = 2


def run(arguments: list[str], *, serve: Callable[[], int], exit_config: int) -> int:
    """Do what the arguments say; return the exit status.

    Args:
        arguments: without the program's name.
        serve: starts the server, for the arguments that mean just that.
        exit_config: the status for settings or credentials that cannot work.

    """
    logs.configure("warning", "text", sys.stderr)
    try:
        status = cli.main(arguments, prog_name=_PROGRAM, standalone_mode=False, obj=serve)
    except NoArgsIsHelpError as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return _EXIT_USAGE
    except click.UsageError as error:
        usage = error.ctx.get_usage() if error.ctx else _PROGRAM
        sys.stderr.write(f"usage: {usage.removeprefix('Usage: ')}\n{error.format_message()}\n")
        return _EXIT_USAGE
    except click.ClickException as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return 1
    except click.Abort:
        sys.stderr.write("Interrupted.\n")
        return 1
    except (SettingsError, CredentialsError) as error:
        sys.stderr.write(f"{error}\n")
        return exit_config
    except GatewayError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return status if isinstance(status, int) else 0


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Gemini behind the OpenAI API. Without a command it serves."""


@cli.command()
@click.pass_obj
def serve(start: Callable[[], int]) -> int:
    """Start the server."""
    return start()


@cli.group()
def credentials() -> None:
    """Make the credential document that GCP_SERVICE_ACCOUNT takes."""


_to = click.option(
    "--to",
    metavar="FILE|sm://...",
    help="Write to a file with mode 0600, or add a version to a secret in Secret Manager; "
    "standard output otherwise.",
)
_force = click.option("--force", is_flag=True, help="Replace a file that holds something else.")


@credentials.command("import")
@_to
@_force
def import_command(to: str | None, *, force: bool) -> None:
    """Complete the Gemini CLI's login with its OAuth client.

    The login is GCP_SERVICE_ACCOUNT_FILE, ~/.gemini/oauth_creds.json unless set. The client is
    that of OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET, else that of the Gemini CLI installed here.
    """
    settings, console = environment.load(), _console()
    asyncio.run(_import(settings, destination(to, settings, force=force), console))


async def _import(settings: Settings, target: Destination, console: Console) -> None:
    with console.status("Looking for the Gemini CLI's login and its OAuth client ..."):
        client = await configured_client(settings, secret_store)
        imported = await asyncio.to_thread(import_credential, settings, client, now=time.time())
    document = document_of(imported.credential)
    target.check(document)
    _say(console, f"The login is {settings.gcp_service_account_file}.")
    _say(console, f"The OAuth client is from {imported.client_from}.")
    await _deliver(document, target, console)


@credentials.command()
@_to
@_force
@click.option(
    "--no-browser", is_flag=True, help="Print the page's address; the answer may be pasted."
)
def login(to: str | None, *, force: bool, no_browser: bool) -> None:
    """Log in with an OAuth client of your own.

    It is named by OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET, and of the type Desktop app.
    """
    settings, console = environment.load(), _console()
    target = destination(to, settings, force=force)
    target.check(None)
    asyncio.run(_login(settings, target, console, no_browser=no_browser))


async def _login(
    settings: Settings, target: Destination, console: Console, *, no_browser: bool
) -> None:
    client = await configured_client(settings, secret_store)
    if client is None:
        raise SettingsError(
            "OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET are not set. Make an OAuth client of the type "
            "Desktop app at https://console.cloud.google.com/auth/clients and set them to it."
        )
    answered = await ask_for_consent(
        client.client_id,
        open_browser=None if no_browser else _open_browser,
        pasted=sys.stdin.fileno() if no_browser and sys.stdin else None,
        say=lambda text: _say(console, text),
    )
    with console.status("Asking Google for the tokens ..."):
        credential = await _exchange(settings, client, answered)
    await _deliver(document_of(credential), target, console)


def _open_browser(url: str) -> None:
    # in a process of its own, because some browsers write to a standard output that is not theirs
    subprocess.run(  # noqa: S603  (no shell; Google's address with our own parameters)
        [sys.executable, "-m", "webbrowser", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


async def _exchange(settings: Settings, client: OAuthClient, answered: Answered) -> Credential:
    transport = await asyncio.to_thread(open_transport, settings.http_client)  # certificates
    try:
        return await exchange(
            transport,
            settings.oauth_token_url,
            client=client,
            consent=answered.consent,
            code=answered.code,
        )
    finally:
        await transport.aclose()


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def doctor(*, as_json: bool) -> int:
    """Check everything that an answer needs, with one tiny question to Gemini.

    The exit status is 0 if all is well, else 1.
    """
    return asyncio.run(_doctor(as_json=as_json))


async def _doctor(*, as_json: bool) -> int:
    from service.commands.examined import load_credential, open_parts  # noqa: PLC0415  (slow)

    console, outcomes = Console(), []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if not as_json:
            console.print(_line(outcome), soft_wrap=True)

    examination = Examination(environment.load, load_credential, open_parts)
    with (_console() if as_json else console).status("Examining ..."):
        passed = await examination.run(tell)
    if as_json:
        report = {"ok": passed, "checks": outcomes}
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    return 0 if passed else 1


_STYLES = {"ok": "green", "failed": "bold red", "skipped": "dim"}


def _line(outcome: Outcome) -> Text:
    width = 25 if "." in outcome.check else 12  # a check of one of several ways
    line = Text(f"{outcome.check:<{width}}")
    line.append(f"{outcome.status:<8}", _STYLES[outcome.status])
    return line.append(outcome.message)


async def _deliver(document: bytes, target: Destination, console: Console) -> None:
    _say(console, await target.write(document))
    _say(console, f"Whether it works: {_PROGRAM} doctor")


def _console() -> Console:
    return Console(stderr=True)  # beside the document, which may be piped


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)

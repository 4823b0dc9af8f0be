"""`python -m service`: the gateway, one process with one event loop; and its commands."""

import gc
import signal
import sys

from service import logs
from service import settings as environment
from service.app import create_app
from service.draining import Drain
from service.errors import CredentialsError
from service.server import server
from service.settings import SettingsError

EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h: starting again as it is would not help


def main(arguments: list[str]) -> int:
    if arguments in ([], ["serve"]):
        return serve()
    from service.commands.cli import run  # noqa: PLC0415  (slow, and the server needs none of it)

    return run(arguments, serve=serve, exit_config=EXIT_CONFIG)


def serve() -> int:
    """Serve until a signal ends it; return the exit status."""
    try:
        settings = environment.load()
        logs.configure(settings.log_level, settings.log_format)
        drain = Drain()
        app = create_app(settings, drain)
    except (SettingsError, CredentialsError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    for number in (signal.SIGINT, signal.SIGTERM):
        # before uvicorn listens to them, and when it has shut down and raises them once more
        signal.signal(number, lambda *_: sys.exit(0))
    leave_out_httpx_command_line()
    server(app, settings, drain, started=_spare_the_collector).run()
    gc.freeze()  # or the interpreter looks through all of it once more, for a sixth of a second
    return 0


def leave_out_httpx_command_line() -> None:
    """Let httpx find none when it is imported: that is most of what importing it takes."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


def _spare_the_collector() -> None:
    """Let it look at what requests leave behind, and at that less often.

    Otherwise each full collection goes through all that the start has made, for a twentieth of a
    second in which no stream goes on. A request makes hundreds of objects, and hardly any of them
    in a cycle.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Whether a target may be measured: its answers are right, and it loses nothing of a prompt."""

import asyncio
import re

from tests.bench.answers import WrongAnswerError, read
from tests.bench.cases import CASES, Case, request
from tests.bench.counting import counted
from tests.bench.load import Load
from tests.bench.servers import Server

_COUNT = "[count]"
_COUNTED = re.compile(r"text=(\d+) media=(\d+)")
_PATIENCE = 60


async def fault_of(server: Server) -> str | None:
    """Say what is wrong with a target; None is nothing."""
    for name in ("small", "burst200", "image", "history"):
        outcome = await Load(server, CASES[name]).run()
        if outcome.errors:
            return f"{name}: {outcome.errors[0]}"
    for name in ("small", "image", "history"):
        case = CASES[name]
        sent, arrived = counted(case.body(_COUNT)), await _ask(server, case)
        if not _is_all(sent, arrived):
            return f"{name}: {sent} were sent, {arrived} arrived"
    return None


async def _ask(server: Server, case: Case) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(_PATIENCE):
            writer.write(request(case, server.path, _COUNT))
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *(\d+)", head.lower())
            body = await reader.readexactly(int(length[1]) if length else 0)
        return read(head, body, streamed=False)[0]
    except (WrongAnswerError, TimeoutError, asyncio.IncompleteReadError) as error:
        return str(error)
    finally:
        writer.close()


def _is_all(sent: str, arrived: str) -> bool:
    """A gateway may add words of its own."""
    there = _COUNTED.fullmatch(arrived)
    wanted = _COUNTED.fullmatch(sent)
    return bool(there and wanted and int(there[1]) >= int(wanted[1]) and there[2] == wanted[2])

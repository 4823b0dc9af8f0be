"""What a process holds, as Linux tells it."""

import re
from pathlib import Path
from typing import NamedTuple

_ESTABLISHED = "01"


class Held(NamedTuple):
    """What it holds at one moment."""

    seconds: float  # since the soak began
    kilobytes: int  # resident
    files: int  # open, sockets too
    to_google: int  # connections, idle ones too
    threads: int

    def told(self) -> str:
        return f"{self.files} ({self.to_google} to Google)"


def held(pid: int, google_port: int, seconds: float) -> Held:
    """Look at a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    links = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(file.readlink()))
        except FileNotFoundError:
            continue  # closed since
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    return Held(
        seconds=round(seconds, 1),
        kilobytes=_number(r"^VmRSS:\s+(\d+)", status),
        files=len(links),
        to_google=len(sockets & _connected_to(google_port)),
        threads=_number(r"^Threads:\s+(\d+)", status),
    )


def _connected_to(port: int) -> set[str]:
    """Return the inodes of the sockets that are connected to a port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    end = f":{port:04X}"
    return {row[9] for row in rows if row[2].endswith(end) and row[3] == _ESTABLISHED}


def _number(pattern: str, text: str) -> int:
    match = re.search(pattern, text, re.MULTILINE)
    return int(match[1]) if match else 0

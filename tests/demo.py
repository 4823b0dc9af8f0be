"""`make demo`: the gateway in front of the simulated Google, and a client that asks it something.

Needs no account. Stays up until Ctrl-C; with `DEMO_ONCE=1` it ends after the answer.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import openai

from tests.gateway import credential
from tests.simulators.google import Google

QUESTION = "What are you?"
MODEL = "gemini-2.5-flash"
PACE = 0.08  # seconds between the words of the answer
START_SECONDS = 30


def main() -> int:
    port = next_free_port(int(os.environ.get("PORT") or 8080))
    key = os.environ.get("OPENAI_API_KEY") or "sk-demo"
    base_url = f"http://127.0.0.1:{port}/v1"
    with Google() as google, gateway(google, port, key), client(base_url, key) as asks:
        google.pace = PACE
        wait_until_it_listens(port)
        print(f"> {QUESTION}\n< ", end="", flush=True)
        for chunk in asks.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": QUESTION}], stream=True
        ):
            print(chunk.choices[0].delta.content or "", end="", flush=True)
        print(f"\n\nThe gateway listens at {base_url} with the key {key}. Google is simulated.\n")
        print(
            f"curl -N {base_url}/chat/completions -H 'Authorization: Bearer {key}' \\\n"
            f'  -H \'Content-Type: application/json\' -d \'{{"model": "{MODEL}", '
            '"stream": true, "messages": [{"role": "user", "content": "Hello!"}]}\'\n'
        )
        if os.environ.get("DEMO_ONCE") != "1":
            print("Ctrl-C ends it.", flush=True)
            signal.pause()
    return 0


def next_free_port(port: int) -> int:
    """Return the port, or the next one that nobody listens at."""
    while True:
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            port += 1


@contextmanager
def gateway(google: Google, port: int, key: str) -> Iterator[None]:
    """Run the gateway as `make run` does, with the simulated Google in its settings."""
    environ = os.environ | {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "OPENAI_API_KEY": key,
        "GCP_SERVICE_ACCOUNT": credential(google),
        "OAUTH_CLIENT_ID": google.client_id,
        "OAUTH_CLIENT_SECRET": google.client_secret,
        "CODE_ASSIST_ENDPOINT": google.url,
        "OAUTH_TOKEN_URL": f"{google.url}/token",
        "UPSTREAMS": "code_assist,gemini_api",
        "GEMINI_API_KEY": next(iter(google.api_keys)),
        "GEMINI_API_ENDPOINT": google.url,
        "LOG_LEVEL": "warning",
    }
    with subprocess.Popen([sys.executable, "-m", "service"], env=environ) as running:
        try:
            yield
        finally:
            running.terminate()


def client(base_url: str, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=base_url, api_key=key)


def wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # so that the gateway ends, too
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print()

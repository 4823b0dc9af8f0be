"""The README tells the truth: its commands run as written, its tables match the code."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from service.settings import Secret, Settings, load
from tests.conftest import StartGateway
from tests.gateway import Gateway
from tests.programs import NODE, need, need_the_sdk_for_node
from tests.simulators.google import Google
from tests.ways import by

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
ENV_EXAMPLE = (ROOT / ".env.example").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def demo(google: Google, start_gateway: StartGateway) -> Gateway:
    """What `make demo` leaves running."""
    ways = by(google, "code_assist", "gemini_api")
    return start_gateway(openai_api_key=Secret("sk-demo"), **ways)


def here(example: str, demo: Gateway) -> str:
    """Let an example meet this test's gateway instead of the one on port 8080."""
    assert "http://127.0.0.1:8080" in example
    return example.replace("http://127.0.0.1:8080", demo.url)


def timeless(output: str) -> str:
    """Blank what differs from one answer to the next."""
    return re.sub(r'"id":"chatcmpl-\w+"|"created":\d+', "", output).strip()


def output_of(arguments: list[str], cwd: Path = ROOT) -> str:
    done = subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", blocks("console"), ids=range(len(blocks("console"))))
def test_a_console_example_prints_what_it_says(block: str, demo: Gateway) -> None:
    match = re.fullmatch(r"\$ (.*?[^\\])\n(.*)", block, re.DOTALL)
    assert match, block
    command, expected = match.groups()
    need("curl", install="curl")
    printed = output_of(["bash", "-c", here(command, demo)])
    assert timeless(printed) == timeless(expected)


@pytest.mark.parametrize(("example", "expected"), [(0, 0), (1, -2)], ids=["openai", "google-genai"])
def test_a_python_example_prints_what_it_says(demo: Gateway, example: int, expected: int) -> None:
    code, text = blocks("python")[example], blocks("text")[expected]
    printed = output_of([sys.executable, "-c", here(code, demo)])
    assert printed.rstrip("\n") == text.rstrip("\n")


def test_the_node_example_prints_what_it_says(demo: Gateway) -> None:
    need_the_sdk_for_node()
    (example,) = blocks("javascript")
    arguments = ["node", "--input-type=module", "-e", here(example, demo)]
    assert output_of(arguments, cwd=NODE) == blocks("text")[1]


def test_the_example_for_a_private_service_finds_its_key(demo: Gateway) -> None:
    (code,) = blocks("py")
    told = {"OPENAI_BASE_URL": f"{demo.url}/v1", "OPENAI_API_KEY": "sk-demo", "ID_TOKEN": "eyJ.x.y"}
    arguments = ["env", *(f"{name}={value}" for name, value in told.items())]
    assert output_of([*arguments, sys.executable, "-c", code]).startswith("gemini-")


def test_every_make_target_is_explained_and_exists() -> None:
    listed = re.findall(r"^  make (\w+)", output_of(["make", "help"]), re.MULTILINE)
    named = set(re.findall(r"`?make ([a-z]+)`?$|`make ([a-z]+)`", README, re.MULTILINE))
    assert {one or other for one, other in named} == set(listed)


def test_the_settings_table_has_a_row_for_each_setting() -> None:
    _, _, section = README.partition("\n## Settings\n")
    rows = re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE)
    assert rows == [field.encode_name for field in msgspec.structs.fields(Settings)]


def test_the_env_example_has_a_line_for_each_setting_with_its_default() -> None:
    lines = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE))
    fields = {field.encode_name for field in msgspec.structs.fields(Settings)}
    assert set(lines) == fields - {"K_SERVICE"}, "Cloud Run sets that one, nobody else"
    del lines["GCP_SERVICE_ACCOUNT"]  # an example, not a default
    assert lines.pop("HOST") == Settings().listen_host
    assert load(lines) == Settings()


def test_the_tree_names_every_folder_and_nothing_that_is_not_there() -> None:
    (tree,) = [block for block in blocks("text") if block.startswith("service/\n")]
    listed: set[str] = set()
    parents: list[str] = []
    for line in tree.splitlines():
        match = re.match(r"( *)(\S+)", line)
        assert match, line
        depth = len(match[1]) // 2
        parents[depth:] = [match[2]]
        listed.add("".join(parents))
    for path in listed:
        assert (ROOT / path).exists(), path

    files = [*ROOT.glob("service/**/*"), *ROOT.glob("tests/**/*")]
    others = {"node_modules", "__pycache__", ".venv", ".venv-instructor"}
    ours = [path for path in files if not others & set(path.relative_to(ROOT).parts)]
    folders = {f"{path.parent.relative_to(ROOT)}/" for path in ours if path.is_file()}
    assert folders <= listed


def test_links_inside_the_page_lead_somewhere() -> None:
    titles = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    for anchor in re.findall(r"\]\(#([^)]*)\)", README):
        assert anchor in anchors
    for path in re.findall(r"\]\((?!#|http)([^)]*)\)", README):
        assert (ROOT / path).exists()

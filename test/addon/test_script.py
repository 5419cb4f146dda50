"""What mitmproxy loads, and what it says where it can't."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from addon import contract
from addon.script_error import describe

ADDON = Path(contract.__file__).parent
SCRIPT = ADDON / "script.py"


def mitmdump(*args: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Runs mitmdump to its end, in a Python that has run some code before."""
    program = f"{code}\nfrom mitmproxy.tools.main import mitmdump\nmitmdump()"
    command = [sys.executable, "-c", program, "--set", "server=false", "--scripts", str(SCRIPT), *args]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


@pytest.mark.parametrize("version", ["8.1.1", "9.0.1", "10.4.2"])
def test_an_older_mitmproxy_ends_with_one_clear_line(version: str, tmp_path: Path) -> None:
    ended = mitmdump("--set", f"confdir={tmp_path}", code=f"from mitmproxy import version; version.VERSION='{version}'")
    last = ended.stderr.splitlines()[-1]
    assert ended.returncode == 1
    assert last == f"mittens needs mitmproxy 11 or later; this image has {version}: choose another with --image"
    assert "Traceback" not in ended.stderr


def test_the_script_is_python_that_an_older_mitmproxy_reads() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 9))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("addons = = []\n", "broken.py, line 1: SyntaxError: invalid syntax"),
        (
            "import os\nimport nowhere\n",
            "broken.py, line 2: ModuleNotFoundError: No module named 'nowhere'",
        ),
        ("\n\nimport json\njson.loads('{')\n", "broken.py, line 4: JSONDecodeError: Expecting property name"),
        ("def load(loader):\n    raise ValueError('two\\nlines')\n", "broken.py, line 2: ValueError: two lines"),
    ],
)
def test_the_last_line_names_the_script_that_can_not_be_loaded(text: str, says: str, tmp_path: Path) -> None:
    ended = mitmdump("--set", f"confdir={tmp_path}", "--scripts", write(tmp_path, "broken.py", text))
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(says)


def test_an_error_in_the_last_part_of_the_start_is_told_as_well(tmp_path: Path) -> None:
    text = "def running():\n    raise ValueError('not today')\n"
    ended = mitmdump("--set", f"confdir={tmp_path}", "--scripts", write(tmp_path, "broken.py", text))
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "broken.py, line 2: ValueError: not today"


def test_an_error_after_the_start_is_not_repeated_at_the_end(tmp_path: Path) -> None:
    text = """
import asyncio
import logging
from mitmproxy import ctx

def running():
    asyncio.get_running_loop().call_later(0.5, fail)

def fail():
    try:
        raise ValueError("later")
    except ValueError:
        logging.exception("it failed")
    type(ctx.master).shutdown(ctx.master)
"""
    ended = mitmdump("--set", f"confdir={tmp_path}", "--scripts", write(tmp_path, "late.py", text))
    assert ended.returncode == 0
    assert "it failed" in ended.stdout
    assert "late.py, line" not in ended.stderr


def test_an_error_without_a_place_is_described_by_its_name() -> None:
    assert describe(ValueError("one\ntwo"), []) == "ValueError: one two"
    assert len(describe(ValueError("x" * 10_000), [])) == 500

"""The command: it prints its address, answers, ends with Ctrl-C, and names what it cannot do."""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from conftest import Shared
from helpers import tiny_bundle
from skillshot.cli.main import main
from skillshot.common.errors import InputError
from skillshot.ui.server import make
from skillshot.ui.workspace import Workspace


@pytest.fixture
def folder(shared: Shared, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared("tiny", tiny_bundle.make), tmp_path / "tiny"))


def test_the_command_prints_its_address_and_ends_with_ctrl_c(folder: Path) -> None:
    command = [sys.executable, "-m", "skillshot.cli.main", "ui", str(folder), "--port", "0", "--json"]
    # a shell's background job, and so a test run in one, ignores SIGINT, and its children would too
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard
        ) as process,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(process.kill)  # one that does not end would be waited for
        assert process.stdout is not None and process.stderr is not None
        lines = [process.stdout.readline() for _ in range(4)]
        url = json.loads("".join(lines))["url"]
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(url) as answer:
            assert answer.status == 200 and b"tiny" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0 and process.stderr.read() == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "stands for every address"),
        (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid"),
        (["--port", "99999"], "give another --port"),
        (["--compare", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_served_is_refused_in_few_lines(
    folder: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ui", str(folder), *arguments]) == 2
    text = capsys.readouterr().err
    assert message in text and len(text.splitlines()) <= 3


def test_a_port_in_use_is_named(folder: Path) -> None:
    server, url = make(Workspace(folder), "127.0.0.1", 0)
    try:
        with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{server.port}: .*; give another --port"):
            make(Workspace(folder), "127.0.0.1", server.port)
        assert url == f"http://127.0.0.1:{server.port}/"
    finally:
        server.server_close()


def test_a_missing_package_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "flask" or name.startswith("skillshot.ui")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "flask", None)
    assert main(["ui", str(folder)]) == 2
    assert "the package flask is not installed: pip install" in capsys.readouterr().err


def test_the_page_is_imported_by_its_command_only() -> None:
    code = (
        "import sys, skillshot; from skillshot import Selector; from skillshot.cli.main import build_parser\n"
        "build_parser(); print([name for name in sys.modules if name in ('flask', 'werkzeug', 'skillshot.ui')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""What the process leaves on a machine: nothing in the home folder, nothing on the network, also on a rough one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from skillshot.common.environment import DEFAULTS, PRIVATE, cache_folder, configure, home
from skillshot.common.errors import EngineError
from skillshot.llm.weights import SHA256, unpacked

SELECT = """
import sys, skillshot
selector = skillshot.Selector.load(sys.argv[1], sys.argv[2])
print(selector.select("How many apples are left?", 1)[0].id)
"""
DEPENDENCIES = (
    "mlflow.pyfunc", "dvc.repo", "dvc.cli", "datasets", "great_expectations", "huggingface_hub", "transformers",
    "sentence_transformers", "langchain_core", "openai", "torch", "sklearn", "ray",
)  # fmt: skip


def clean(**changes: str | None) -> dict[str, str]:
    """This process's environment without what the package or a user sets, and with `changes`."""
    ours = {*DEFAULTS, "HOME", "SKILLSHOT_MODELS", "SKILLSHOT_CACHE", "MPLCONFIGDIR"}
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("XDG_")}
    kept |= {"PYTHONDONTWRITEBYTECODE": "1"}
    return kept | {name: value for name, value in changes.items() if value is not None}


def run(code: str, *arguments: str, folder: Path, prefix: tuple[str, ...] = (), **env: str | None) -> str:
    """Output of a fresh interpreter in `folder`, which must succeed without a word on stderr."""
    command = [*prefix, sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, env=clean(**env), capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def empty(tmp_path: Path) -> tuple[Path, Path]:
    """An empty home folder and an empty working folder."""
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    return tmp_path / "home", tmp_path / "work"


@pytest.mark.parametrize("mode", ["full", "lite"])
def test_a_selection_leaves_nothing_on_disk(bundle: Path, empty: tuple[Path, Path], mode: str) -> None:
    before = files(bundle)
    assert run(SELECT, str(bundle), mode, folder=empty[1], HOME=str(empty[0])).strip()
    assert (files(empty[0]), files(empty[1]), files(bundle)) == ([], [], before)


def test_a_selection_asks_for_no_name_and_writes_no_file(bundle: Path, empty: tuple[Path, Path]) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: system calls cannot be traced")
    log = empty[0].parent / "calls.txt"
    trace = ("strace", "-f", "-qq", "-e", "trace=network,%file", "-o", str(log))
    if subprocess.run([*trace, "true"], capture_output=True).returncode:
        pytest.skip("strace is not allowed to trace here")
    run(SELECT, str(bundle), "full", folder=empty[1], prefix=trace, HOME=str(empty[0]))
    calls = log.read_text(errors="replace").splitlines()
    assert len(calls) > 100
    assert [call for call in calls if re.search(r"\b(connect|sendto|sendmsg|sendmmsg|bind)\(", call)] == []
    assert [call for call in calls if re.search(r"AF_INET|/etc/(resolv\.conf|hosts|nsswitch)", call)] == []
    writes = [call for call in calls if re.search(r"O_(WRONLY|RDWR|CREAT)|\b(mkdir|rename|unlink|link)(at)?2?\(", call)]
    assert [call for call in writes if "/dev/" not in call] == []


def test_the_switch_is_set_before_the_package_is_imported(empty: tuple[Path, Path]) -> None:
    code = "import sys, os, skillshot.runtime; print(os.environ['ORT_DISABLE_TELEMETRY'], 'onnxruntime' in sys.modules)"
    assert run(code, folder=empty[1], HOME=str(empty[0])) == "1 False\n"
    chosen = run(code, folder=empty[1], HOME=str(empty[0]), ORT_DISABLE_TELEMETRY="0")
    assert chosen == "0 False\n", "a variable that the user has set stays"


def test_configure_sets_every_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PRIVATE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DO_NOT_TRACK", "mine")
    configure(PRIVATE)
    assert {name: os.environ[name] for name in PRIVATE} == PRIVATE | {"DO_NOT_TRACK": "mine"}


@pytest.mark.slow  # 20 seconds of imports
def test_no_dependency_leaves_anything_in_the_home_folder(empty: tuple[Path, Path]) -> None:
    """A picture needs matplotlib's list of fonts, the one cache that is kept; it is not part of this test."""
    found = [name for name in DEPENDENCIES if find_spec(name.partition(".")[0]) is not None]
    lines = ["from skillshot.common.environment import configure", "configure()", *(f"import {name}" for name in found)]
    if "great_expectations" in found:
        lines.append("great_expectations.get_context(mode='ephemeral')")
    log = empty[0].parent / "calls.txt"
    trace = ("strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(log))
    command = [*(trace if shutil.which("strace") else ()), sys.executable, "-c", "\n".join(lines)]
    subprocess.run(command, cwd=empty[1], env=clean(HOME=str(empty[0])), check=True, timeout=300)
    assert (files(empty[0]), files(empty[1])) == ([], [])
    assert not log.exists() or "AF_INET" not in log.read_text()


@pytest.mark.parametrize("command", ["--help", "--version", "select --help", "fit --help", "evaluate --help"])
def test_help_leaves_nothing(empty: tuple[Path, Path], command: str) -> None:
    code = "import sys; from skillshot.cli.main import main; sys.exit(main(sys.argv[1:]))"
    assert "skillshot" in run(code, *command.split(), folder=empty[1], HOME=str(empty[0]))
    assert (files(empty[0]), files(empty[1])) == ([], [])


@pytest.mark.parametrize("where", [None, "", "/proc", "/does/not/exist", "a file"])
def test_an_unusable_home_does_not_matter_to_a_selection(
    bundle: Path, empty: tuple[Path, Path], where: str | None
) -> None:
    (empty[0].parent / "a file").write_text("")
    given = str(empty[0].parent / where) if where == "a file" else where
    assert run(SELECT, str(bundle), "full", folder=empty[1], HOME=given).strip()
    assert files(empty[1]) == []


@pytest.mark.parametrize("where", ["/proc", "/proc/version", ""])
def test_weights_that_cannot_be_kept_are_one_error(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    for name in ("SKILLSHOT_MODELS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", where)
    monkeypatch.setattr("skillshot.llm.weights.packaged_gguf", lambda: Path(__file__))
    monkeypatch.setattr("skillshot.llm.weights.sha256_file", lambda _: SHA256)
    with pytest.raises(EngineError, match=r"\nset SKILLSHOT_MODELS to a folder that can be written"):
        unpacked()


def test_the_folder_of_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SKILLSHOT_MODELS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache/skillshot" and home() == tmp_path
    monkeypatch.setenv("HOME", "")
    assert home() is cache_folder() is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "skillshot"

"""A bundle's bank is changed quickly, and only sound files are carried over."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skillshot import Selector
from skillshot.bundle.edit import add, add_examples, remove
from skillshot.common.errors import BundleError
from skillshot.common.record import Record
from skillshot.runtime.manifest import check_files, read_manifest

NEW = {"id": "new", "question": "Bo has 4 pens and buys 3. How many?", "rationale": "4 + 3 = 7", "answer": "7"}


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


TRAINED = ("torch", "sklearn", "scipy", "transformers", "sentence_transformers", "great_expectations", "mlflow")


def test_a_row_is_added_without_what_trains(copy: Path, tmp_path: Path) -> None:
    """None of these is imported, which alone would take seconds."""
    (tmp_path / "one.jsonl").write_text(json.dumps(NEW))
    code = "import sys; from skillshot.cli.main import main; code = main(sys.argv[1:]); print(code, *sys.modules)"
    command = [sys.executable, "-c", code, "add", str(copy), str(tmp_path / "one.jsonl")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    code, *modules = done.stdout.splitlines()[-1].split()
    assert code == "0" and "onnxruntime" in modules and not {*TRAINED} & {*modules}
    assert "new" in {d.id for d in Selector.load(copy, "lite").select("Bo has 9 pens and buys 3. How many?", k=300)}


def test_examples_pass_the_checks_of_fit(copy: Path) -> None:
    loaded = add_examples(copy, [NEW | {"answer": "#### 7", "unit": " pens "}])
    assert loaded.records[0].answer == "7" and loaded.quarantined == []
    selector = Selector.load(copy, "lite")
    assert selector.record(len(selector) - 1) == loaded.records[0]


def test_a_damaged_file_of_the_bank_is_never_described_as_sound(copy: Path) -> None:
    manifest = read_manifest(copy)
    for name in [name for name in manifest["files"] if name.startswith("bank-")]:
        path, data = copy / name, (copy / name).read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        for change in (lambda: add(copy, [Record(**NEW)]), lambda: remove(copy, [])):
            with pytest.raises(BundleError, match=path.name):
                change()
        path.write_bytes(data)
    assert read_manifest(copy) == manifest


def test_what_an_edit_does_not_read_keeps_its_digest(copy: Path) -> None:
    """Damage to a file that only serves selection is still found after an edit."""
    path = copy / "model/lite.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    add(copy, [Record(**NEW)])
    with pytest.raises(BundleError, match=r"lite\.onnx"):
        check_files(copy, read_manifest(copy))
    path = copy / "model/skillshot_posterior.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match=r"skillshot_posterior\.onnx"):
        add(copy, [Record(**NEW | {"id": "newer"})])


def test_the_runtimes_own_packages_remove_and_a_missing_one_is_named_by_add(copy: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(('pydantic', 'yaml', 'scipy', 'sklearn', 'torch', 'tqdm'))\n"
        "import skillshot\n"
        f"selector = skillshot.Selector.load({str(copy)!r}, 'lite')\n"
        "print(len(selector) - len(selector.remove(selector.record(0).id)))\n"
        "for call in (lambda: selector.add([]), lambda: skillshot.fit([])):\n"
        "    try: call()\n"
        "    except skillshot.SkillshotError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    removed, *errors = done.stdout.splitlines()
    assert removed == "1" and len(errors) == 2
    assert all(error.startswith("the package pydantic is not installed: pip install") for error in errors)

"""The runtime stays light, and every module can be imported."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "torch",
    "mlflow",
    "dvc",
    "great_expectations",
    "sentence_transformers",
    "transformers",
    "pandas",
    "sklearn",
    "pydantic",
)


def test_the_selector_imports_nothing_heavy() -> None:
    code = (
        "import sys, skillshot; from skillshot import Selector\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from skillshot.cli.main import build_parser; build_parser()\n"
        f"print([name for name in (*{HEAVY!r}, 'numpy', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

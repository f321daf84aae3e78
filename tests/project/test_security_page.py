"""SECURITY.md names checks and limits that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from skillshot.common.params import Params

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
CODE = re.compile(r"`((?:common|bank|features|runtime|bundle|llm|track|ui)\.[A-Za-z_.]+)`")
NAMES = sorted(set(CODE.findall(PAGE)))


@pytest.mark.parametrize("name", NAMES)
def test_each_check_is_in_the_code(name: str) -> None:
    if name.startswith("llm.") and hasattr(Params().llm, name.removeprefix("llm.")):
        return  # a setting
    parts = f"skillshot.{name}".split(".")
    for cut in range(len(parts), 1, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return
    pytest.fail(f"no module {name}")


def test_the_page_names_enough() -> None:
    assert len(NAMES) > 40 and "llm.timeout" in NAMES

"""Pages are rendered from templates in which every value is escaped."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest

import skillshot
from skillshot.common.templates import cell, digest, render

SOURCE = Path(skillshot.__file__).parent


def test_values_are_escaped_and_unknown_names_are_errors() -> None:
    page = render("skillshot.bank", "index.html.j2", links=[], tables={"<b>": {"a & b": 1200}})
    assert "<h2>&lt;b&gt;</h2>" in page and "a &amp; b" in page and "1,200" in page
    with pytest.raises(jinja2.UndefinedError, match="'tables' is undefined"):
        render("skillshot.bank", "index.html.j2", links=[])
    with pytest.raises(jinja2.TemplateNotFound):
        render("skillshot.bank", "evaluate.html.j2")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.12345, "0.123"),
        (1234567, "1,234,567"),
        (True, "yes"),
        ("x", "x"),
        ({"a": 1, "b": 0.5}, "a: 1, b: 0.500"),
        ({}, "–"),
    ],
)
def test_a_cell(value: object, text: str) -> None:
    assert cell(value) == text


def test_no_template_fetches_anything_or_turns_escaping_off() -> None:
    templates = sorted(SOURCE.rglob("*.j2"))
    assert len(templates) >= 5
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert "| safe" not in text and "|safe" not in text, path
        if path.is_relative_to(SOURCE / "ui"):  # served with its own files; every other page is one file
            text = text.replace('<link rel="stylesheet" href="/static/', "").replace('<script src="/static/', "")
            text = text.replace('<link rel="icon" href="/static/', "")
        assert not any(mark in text for mark in ("@import", "<link", 'src="/')), path
        assert "http" not in text.replace("http-equiv", ""), path


def test_a_page_may_run_the_script_that_its_template_sets_and_no_other() -> None:
    # from the specification of content security policies, level 3
    assert digest("alert('Hello, world.');") == "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
    page = render("skillshot.bank", "index.html.j2", links=[], tables={})
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', page)
    assert policy is not None and "default-src 'none'" in policy[1] and "script-src" not in policy[1]

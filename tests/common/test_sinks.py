"""Each medium has its sink: evil texts of banks, bundles and endpoints come out as text and nothing else."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from skillshot.common.io import dump_json
from skillshot.common.logs import logging_to_stderr
from skillshot.common.record import Record
from skillshot.common.sinks import (
    EscapedStream,
    csv_cell,
    escaped_output,
    label,
    markdown,
    markdown_block,
    markdown_code,
    one_line,
    terminal,
)
from skillshot.common.tables import table

STEERING = {
    "colour": "\x1b[31m", "clear": "\x1b[2J\x1b[H", "title": "\x1b]0;evil\x07", "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "link": "\x1b]8;;http://evil\x1b\\", "8-bit CSI": "\x9b31m", "8-bit OSC": "\x9d0;x\x9c", "overwrite": "fine\rEVIL",
    "backspace": "no\b\byes", "bell": "\x07", "null": "a\0b", "delete": "\x7f", "form feed": "\x0c", "vertical": "\x0b",
    "override": "\u202egnp.exe", "isolate": "\u2066a\u2069", "mark": "\u200f", "surrogate": "\ud800",
    "next line": "\x85",
}  # fmt: skip
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize("text", STEERING.values(), ids=STEERING.keys())
def test_a_terminal_shows_what_would_steer_it(text: str) -> None:
    shown = terminal(f"a{text}b")
    assert not RAW.search(shown) and shown.startswith("a") and shown.endswith("b")
    assert not RAW.search(table([{"id": text, "n": 1}], ["id", "n"]))
    assert json.loads(terminal(dump_json({"id": text}))) == {"id": text}, "a JSON document stays one, and loses nothing"


def test_ordinary_text_stays() -> None:
    for text in ("How many?\n\tTwo.", "사과는 몇 개?", "naïve café ≤ 3 € 🙂", "שלום عربي", "\\x1b", ""):
        assert terminal(text) == text
    assert terminal("é🙂a", encoding="ascii") == "\\u00e9\\ud83d\\ude42a"
    assert terminal("é🙂a", encoding="latin-1") == "é\\ud83d\\ude42a"
    assert one_line("a\nnext: rm -rf") == "a\\nnext: rm -rf"


def test_all_that_is_printed_passes_the_sink(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest records what reaches the root logger, and a worker cannot send lone surrogates to its session
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with escaped_output(), logging_to_stderr():
        for text in STEERING.values():
            print(text)
            print(text, file=sys.stderr)
            logging.getLogger("skillshot").warning("%s left out", text)
        sys.stdout.write("\x1b[0m")
    out, err = capsys.readouterr()
    assert out and err and not RAW.search(out) and not RAW.search(err)
    assert not isinstance(sys.stdout, EscapedStream)


def test_log_lines_are_escaped_also_in_a_library(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr():
        logging.getLogger("skillshot").info("bank %s", "\x1b[2J")
    assert capsys.readouterr().err == "bank \\x1b[2J\n"


def test_a_handler_that_a_library_adds_repeats_no_line() -> None:
    code = """
import logging
from skillshot.common.logs import logging_to_stderr
with logging_to_stderr():
    logging.warning("a library without a handler")
    logging.getLogger("skillshot").info("once")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("once") == 1


FORMULAS = (
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://evil")', "＝1",
    "＋1+1", "－1+1", "＠x", "=", "-", "--5", "+-5", "-5a", "-1-1",
)  # fmt: skip
PLAIN = ("-5", "+3.5", "-1,234.5", "-5%", "1e-3", "-1e+10", "a=b", "'=1", "", "5 - 3", "x\n=1")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_in_a_csv_file_is_text(text: str) -> None:
    assert csv_cell(text) == f"'{terminal(text)}"


def test_numbers_and_ordinary_texts_stay_as_they_are() -> None:
    assert [csv_cell(text) for text in PLAIN] == list(PLAIN)
    assert [csv_cell(value) for value in (-5, -0.5, None, True)] == [-5, -0.5, None, True]


def test_rows_of_an_evaluation_hold_no_formula(tmp_path: Path) -> None:
    from skillshot.evaluation.files import write_rows
    from skillshot.evaluation.results import QueryResult

    rows = [QueryResult(text, text, text, True, True, -1.5, found=text, answer=text, demonstrations=(text,))
            for text in FORMULAS]  # fmt: skip
    write_rows(rows, tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as handle:
        found = list(csv.reader(handle))[1:]
    assert len(found) == len(FORMULAS)
    assert [cell for row in found for cell in row if cell[:1] in "=+@\t\r\n-" and cell and cell != "-1.5"] == []


def test_curves_hold_no_formula(tmp_path: Path) -> None:
    from skillshot.training.curves import write_curves

    write_curves(tmp_path / "c.csv", [{"model": "=1+1", "epoch": 1, "kl": -0.5}])
    assert (tmp_path / "c.csv").read_text() == "model,epoch,kl\n'=1+1,1,-0.5\n"


MARKDOWN = (
    "# heading", "[x](javascript:alert(1))", "![x](http://evil/a.png)", "<script>alert(1)</script>", "<img src=x>",
    "a | b", "**bold**", "`code`", "```\nfence\n```", "````\n# out", "~~~\nx\n~~~", "a\n\n# new block", "&lt;b&gt;",
    "$x$", "a\n---", "---", "1. a", "- item\n- item", "[ref]: http://evil", "\x1b[31m", "`", "```", "<!-- x", "***",
    "|---|", "\u202e",
)  # fmt: skip


@pytest.mark.parametrize("text", MARKDOWN)
@pytest.mark.parametrize("sink", [markdown, markdown_code, markdown_block])
def test_markdown_shows_the_text(sink: Callable[[str], str], text: str) -> None:
    pytest.importorskip("markdown_it")
    from markdown_it import MarkdownIt

    before, after = "# A\n\n", "\n\n## B"
    shape = [token.type for token in MarkdownIt("commonmark").enable("table").parse(f"{before}{sink('x')}{after}")]
    tokens = MarkdownIt("commonmark").enable("table").parse(f"{before}{sink(text)}{after}")
    assert [token.type for token in tokens] == shape
    inline = {child.type for token in tokens for child in token.children or ()}
    assert inline <= {"text", "code_inline", "text_special"} and not RAW.search(sink(text))


@pytest.mark.parametrize("text", MARKDOWN)
def test_a_markdown_table_keeps_its_cells(text: str) -> None:
    pytest.importorskip("markdown_it")
    from markdown_it import MarkdownIt

    from skillshot.cli.markdown import markdown as verdicts

    page = verdicts("Gate", [{"name": text, "passed": False}, {"name": "b", "passed": True}], ["name"])
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    assert [token.type for token in tokens].count("td_open") == 4
    assert {child.type for token in tokens for child in token.children or ()} <= {"text", "text_special"}


LABELS = (
    r"$\frac{", r"cost $5 and $\undefined$", "$$", "$", r"\$", "$x$", r"$\includegraphics{/etc/passwd}$", "_hidden",
    "__", "a\nb", "\x1b[31m", "x" * 10_000, "", "\u202e", "\0", "a$b$c$d", r"\\$\\$",
)  # fmt: skip


@pytest.mark.parametrize("text", LABELS)
def test_a_label_is_no_mathematics_and_is_drawn(text: str) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure()
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], label=label(text))
    axis.set_title(f"{label(text)}: {label(text)}")
    axis.text(0, 0, label(text))
    axis.set_yticks([0], [label(text)])
    legend = axis.legend(*axis.get_legend_handles_labels())
    figure.savefig(io.BytesIO(), format="png")
    shown = [part.get_text() for part in legend.get_texts()]
    assert len(shown) == (1 if text else 0)
    assert all(part._preprocess_math(part.get_text())[1] is False for part in legend.get_texts())


DRAWN = (r"$\frac{", "_hidden", "\x1b[31m", "x" * 10_000, "")  # `label` itself takes all of them, above


@pytest.mark.parametrize(
    "text", [pytest.param(text, marks=() if text in DRAWN else pytest.mark.slow) for text in LABELS]
)
def test_every_picture_takes_evil_names(text: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    import numpy as np

    from skillshot.evaluation.plots import figure
    from skillshot.training.curves import draw_curves
    from skillshot.training.map_views import draw_map, write_map
    from skillshot.training.skill_map import SkillMap

    pairs = {f"{text}-question": {"nll": {"diff": -1.0, "low": -1.5, "high": -0.5}}}
    assert figure({"llm": text, "queries": 2, "shots": 4, "selectors": {text: {}, "question": {}}, "pairs": pairs})
    history = [{"model": text, "epoch": 1, "kl": 1.0, "held_out_kl": 1.0, "held_out_loss": 2.0, "reconstruction": 1.0,
                "held_out_reconstruction": 1.0}]  # fmt: skip
    draw_curves(tmp_path / "c.png", history)
    bank = [Record(f"{i}", text, text, "1", metadata={text: text}) for i in range(4)]
    found = SkillMap(np.array([0, 0, 1, 1]), [text, text], np.zeros((4, 2), np.float32))
    draw_map(tmp_path / "m.png", found)
    write_map(tmp_path / "m.html", bank, found, text)
    assert {path.name for path in tmp_path.iterdir()} == {"c.png", "m.png", "m.html"}


HTML = ("<script>alert(1)</script>", "</script><script>alert(1)//", '"><img src=x onerror=alert(1)>', "' onload='x",
        "{{ 7*7 }}", "{% raw %}", "<!--", "]]>", "&lt;script&gt;", "\u2028", "</style><script>")  # fmt: skip


@pytest.mark.parametrize("text", HTML)
def test_html_pages_show_the_text(text: str, tmp_path: Path) -> None:
    import numpy as np

    from skillshot.bank.data_docs import write_docs
    from skillshot.training.map_views import write_map
    from skillshot.training.skill_map import SkillMap

    def tags(page: str) -> list[tuple[str, list[str]]]:
        """Tags with the names of their attributes, as a browser reads them."""
        found: list[tuple[str, list[str]]] = []
        parser = HTMLParser()
        parser.handle_starttag = lambda tag, attrs: found.append((tag, [name for name, _ in attrs]))  # type: ignore[method-assign]
        parser.feed(page)
        return found

    pages = []
    for i, value in enumerate((text, "harmless")):
        bank = [Record("1", value, value, "1", metadata={"f": value})]
        found = SkillMap(np.array([0]), [value], np.zeros((1, 2), np.float32))
        write_map(tmp_path / f"{i}.html", bank, found, "f")
        write_docs(tmp_path / f"docs{i}", {"Bank": "<html></html>"}, {"x": {value: value}})
        pages.append(
            [*tags((tmp_path / f"{i}.html").read_text()), *tags((tmp_path / f"docs{i}/index.html").read_text())]
        )
    assert pages[0] == pages[1]


def _select(bundle: Path, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
    code = "import sys; from skillshot.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "select", str(bundle), "How many é apples?", "--mode", "lite", *arguments]
    env = {**os.environ, **how.pop("env", {})}
    streams = how or {"capture_output": True}
    return subprocess.run(command, encoding="utf-8", errors="replace", env=env, timeout=120, **streams)


ROUGH = {
    "C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII": {"PYTHONIOENCODING": "ascii"}, "Latin-1": {"PYTHONIOENCODING": "latin-1"}, "one column": {"COLUMNS": "1"},
    "no columns": {"COLUMNS": "x"}, "dumb": {"TERM": ""}, "TMPDIR is gone": {"TMPDIR": "/does/not/exist"},
}  # fmt: skip


SEVERAL = """
import json, sys
from skillshot.cli.main import main
for arguments in json.loads(sys.argv[1]):
    try:
        code = main(["select", *sys.argv[2:], "--mode", "lite", *arguments])
    except SystemExit as end:  # argparse
        code = end.code
    print(f"\\nEND {code}", flush=True)
    print("END", file=sys.stderr, flush=True)
"""
SHOWN = (("--json",), ("--prompt",), ("--prompt", "--json"), ("--explain",), (), ("-k", "0"))


@pytest.mark.parametrize("environment", ROUGH.values(), ids=ROUGH.keys())
def test_rough_environments(bundle: Path, environment: dict[str, str]) -> None:
    """One process shows all; starting it costs more than all that it shows."""
    command = [sys.executable, "-c", SEVERAL, json.dumps(SHOWN), str(bundle), "How many é apples?"]
    done = subprocess.run(
        command, encoding="utf-8", errors="replace", env={**os.environ, **environment}, timeout=120, capture_output=True
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr
    outs, errors = re.split(r"\nEND (\d)\n", done.stdout)[:-1], done.stderr.split("END\n")[:-1]
    assert (outs[1::2], len(errors)) == (["0"] * 5 + ["2"], 6)
    assert errors[:5] == [""] * 5 and errors[5]
    for arguments, out in zip(SHOWN, outs[::2], strict=True):
        if "--json" in arguments:
            assert json.loads(out)


@pytest.mark.skipif(os.name != "posix", reason="closes descriptors as a POSIX shell does")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("k", ["1", "0"])
def test_closed_streams(bundle: Path, closed: str, k: str) -> None:
    code = "import sys; from skillshot.cli.main import main; sys.exit(main(sys.argv[1:]))"
    line = f'"$0" -c "$1" select "$2" "How many?" --mode lite -k {k} {closed}'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable, code, str(bundle)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == (0 if k == "1" else 2) and "Traceback" not in done.stderr
    if k == "0":
        assert done.stdout == "", "an error is not written to stdout where stderr is closed"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_one_line(bundle: Path) -> None:
    with open("/dev/full", "w") as full:
        done = _select(bundle, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, "skillshot select: No space left on device\n")


def test_a_reader_that_leaves_is_no_error(bundle: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        done = _select(bundle, stdout=gone, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")

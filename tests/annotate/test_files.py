"""The new bank, and the page to review it: nothing of a bank or a model is read as HTML or by a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from skillshot.annotate import files
from skillshot.annotate.files import check_out, page, quarantine_of, review_of, write_annotation
from skillshot.annotate.prompts import WriterPrompt
from skillshot.annotate.run import Annotated, Annotation
from skillshot.common.errors import InputError
from skillshot.common.record import Record

NASTY = "<script>alert(1)</script> & \x1b[31m \u202e \ud800 {{ 7 * 7 }}"
SPENT = {"llm_calls": 2, "prompt_tokens": 1, "completion_tokens": 1}


def annotation(count: int = 1, text: str = NASTY) -> Annotation:
    record = Record(f"id {text}", text, "", text, text, (text,))
    kept = Annotated(record, 2, text, 2, WriterPrompt("p", True), [(1, f"wrong equation: {text}", text)])
    missed = Annotated(record, 1, rejected=[(1, "blank", "")])
    return Annotation((*[kept] * count, *[missed] * count), f"because of {text}", {}, SPENT)


def test_nothing_in_the_page_is_markup_or_steers() -> None:
    html = page(annotation(), f"{NASTY}.jsonl", NASTY)
    assert "<script" not in html and "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in html
    assert "{{ 7 * 7 }}" in html and "49" not in html
    assert "\x1b" not in html and "\\x1b[31m" in html and "\u202e" not in html
    html.encode("utf-8")
    assert "http" not in html.replace("http-equiv", "") and "src=" not in html


def test_the_page_has_what_a_reader_needs() -> None:
    record = Record("r1", "How many?", "", "7", options=("a", "b"))
    kept = Annotated(
        record, 2, "3 + 4 = 7.", 2, WriterPrompt("p", True), [(1, "wrong equation: 3 + 4 = 8", "3 + 4 = 8")]
    )
    html = page(Annotation((kept,), "", {}, SPENT), "b.jsonl", "m/1")
    for text in ("r1", "How many?", "(A) a", "Gold answer: 7", "3 + 4 = 7.", "wrong equation: 3 + 4 = 8", "sample 2",
                 "answer shown", "Written by m/1"):  # fmt: skip
        assert text in html
    assert "Stopped early" not in html


def test_a_page_of_a_large_bank_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SHOWN", 3)
    html = page(annotation(9, "x" * 100_000), "b.jsonl", "m")
    assert html.count('<div class="card">') == 6 and "The first 3 of 9." in html and len(html) < 200_000


def test_files_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "b.jsonl"
    done = annotation(1, "text")
    write_annotation(done, out, "m", "m/1")
    good = out.read_bytes()
    assert review_of(out).exists() and not quarantine_of(out).exists()

    def broken(_: Annotated, __: str) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Annotated, "to_dict", broken)
    with pytest.raises(KeyboardInterrupt):
        write_annotation(done, out, "m", "m/1")
    assert out.read_bytes() == good and {path.name for path in tmp_path.iterdir()} == {"b.jsonl", "b.jsonl.review.html"}


@pytest.mark.parametrize(
    ("out", "message"),
    [("bank.jsonl", "would write over"), ("link.jsonl", "would write over"), ("folder/b.jsonl", "would write over"),
     ("b.csv", "JSON lines"), ("sub.jsonl", "a folder"), ("bank.jsonl/b.jsonl", "cannot be written")],
)  # fmt: skip
def test_a_place_that_would_be_in_the_way_is_refused(tmp_path: Path, out: str, message: str) -> None:
    (tmp_path / "bank.jsonl").write_text("{}")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "bank.jsonl")
    (tmp_path / "folder").mkdir()
    (tmp_path / "sub.jsonl").mkdir()
    with pytest.raises(InputError, match=message):
        check_out(tmp_path / out, [tmp_path / "bank.jsonl", tmp_path / "folder", tmp_path / "no such file"])


def test_a_link_to_itself_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    check_out(tmp_path / "b.jsonl", [tmp_path / "loop.jsonl"])
    with pytest.raises(InputError, match="would write over"):
        check_out(tmp_path / "loop.jsonl", [tmp_path / "loop.jsonl"])


def test_the_quarantine_of_an_earlier_run_is_an_input_too(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="would write over"):
        check_out(tmp_path / "b.jsonl", [tmp_path / "b.jsonl.quarantine.jsonl"])
    check_out(tmp_path / "new/b.jsonl", [tmp_path / "a.jsonl"])
    assert not (tmp_path / "new").exists(), "nothing is made before there is something to write"

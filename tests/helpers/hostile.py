"""Input files as users have them, valid and invalid: each case writes one and states the expected result.

`refuse`: exit 2, a message of at most three lines with these words; `quarantine`: the good rows are taken and the
bad ones kept with this reason; `accept`: everything is taken.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOOD = [
    {"question": f"Kim has {n} pens and buys {n + 1} more. How many?", "rationale": f"{n} + {n + 1} = {2 * n + 1}",
     "answer": str(2 * n + 1)}
    for n in range(1, 31)
]  # fmt: skip
LINES = "".join(json.dumps(row) + "\n" for row in GOOD)


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    write: Callable[[Path], None]
    refuse: tuple[str, ...] = ()
    quarantine: str = ""
    bad: int = 1  # rows quarantined
    good: int = len(GOOD)  # rows accepted


CASES: list[Case] = []


def _bytes(data: bytes) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(data))


def void(_: Any) -> None:
    return None


def raw(name: str, data: bytes | str, file: str = "bank.jsonl", **expected: Any) -> None:
    data = data.encode() if isinstance(data, str) else data
    CASES.append(Case(name, file, _bytes(data), **expected))


def row(name: str, reason: str, _remove: tuple[str, ...] = (), **fields: Any) -> None:
    """Thirty good rows and one with these fields."""
    bad = {**GOOD[0], "question": "Another one entirely?", **fields}
    line = json.dumps({key: value for key, value in bad.items() if key not in _remove})
    raw(name, LINES + line + "\n", quarantine=reason)


def line(name: str, text: bytes | str, reason: str, **expected: Any) -> None:
    """Thirty good rows and one raw line."""
    text = text.encode() if isinstance(text, str) else text
    raw(name, LINES.encode() + text + b"\n", quarantine=reason, **expected)


# --- lines that are not rows
line("not json", "hello", "not JSON")
line("half a line", '{"question": "a', "not JSON")
line("array instead of object", "[1, 2]", "not a JSON object")
line("a number", "42", "not a JSON object")
line("null", "null", "not a JSON object")
line("a string", '"question"', "not a JSON object")
line("NaN", '{"question": "a", "answer": NaN, "rationale": "r"}', "not JSON: NaN")
line("Infinity", '{"question": "a", "answer": -Infinity, "rationale": "r"}', "not JSON: -Infinity")
line("duplicate key", '{"question": "a", "question": "b", "answer": "1"}', "not JSON: key 'question' twice")
line("trailing comma", '{"question": "a",}', "not JSON")
line("single quotes", "{'question': 'a'}", "not JSON")
line("two objects on a line", '{"question": "a"} {"question": "b"}', "not JSON")
line("control character in a string", b'{"question": "a\x01b", "answer": "1"}', "not JSON")
line("deep nesting", "[" * 100_000 + "]" * 100_000, "not JSON: nested too deeply")
line("deep objects", '{"a":' * 50_000 + "1" + "}" * 50_000, "not JSON: nested too deeply")
line("number of 5,000 digits", '{"question": "a", "answer": ' + "9" * 5000 + "}", "not JSON")
line("number of 1,000 digits", '{"question": "a", "rationale": "r", "answer": ' + "9" * 1000 + "}", "answer is int")
line("10 MB line", '{"question": "' + "a" * 10_000_000 + '"}', "line over 4 MiB")
line("neither UTF-8 nor cp1252", b'{"question": "a\x81\x8d"}', "neither UTF-8 nor cp1252")
line("binary noise", bytes(range(128, 256)) * 8, "neither UTF-8 nor cp1252")

# --- fields with invalid values
row("no question", "no question", _remove=("question",))
row("null question", "no question", question=None)
row("blank question", "no question", question=" \t\n\u3000 ")
row("question of control characters", "no question", question="\x00\x01\ufeff")
row("question is a list", "question is list", question=["a"])
row("question is an object", "question is dict", question={"text": "a"})
row("neither rationale nor answer", "empty_answer", _remove=("rationale", "answer"))
row("rationale is an object", "rationale is dict", rationale={"steps": None})
row("rationale of nested nulls", "rationale is list", rationale=[None, [None, {"a": None}]])
row("no answer", "empty_answer", _remove=("answer",))
row("answer is a list", "answer is list", answer=["3"])
row("answer not a number", "answer_not_of_type", answer="three", answer_type="number")
row("answer neither yes nor no", "answer_not_of_type", answer="maybe", answer_type="bool")
row("letter without option", "answer_not_of_type", answer="E", answer_type="choice", options=["1", "2", "3"])
row("option that is none", "answer_not_of_type", answer="4", answer_type="choice_text", options=["1", "3"])
row("sql that is none", "answer_not_of_type", answer="DROP TABLE x", answer_type="sql")
row("answer type of another type", "answer_type is list", answer_type=["number"])
row("options not a list", "options is int", options=7)
row("options of lists", "options is list", options=[["a"], ["b"]])
row("options of broken JSON", "options is str, not a list of texts", options='["a", ')
row("answer not in the rationale", "answer_not_in_rationale", answer="7,777")
row("mojibake", "mojibake", question="How many cafÃ©s are there?")
row("mojibake of quotes", "mojibake", rationale="Itâ€™s 1 + 2 = 3")
row("replacement characters", "mojibake", question="caf\ufffd?")
row("lone surrogate", "mojibake", question="a \ud800 b")
row("over-long question", "over_long", question="why " * 3000)
row("over-long rationale", "over_long", rationale="3 " * 10_000)
row("correct is neither", "correct is neither", correct="perhaps")

# --- repeated rows and clashing ids
raw("the same row twice", LINES + LINES.split("\n")[0] + "\n", quarantine="repeated")
CLASH = '{"id": "x", "question": "a", "rationale": "3", "answer": "3"}\n'
raw("the same id, other content", LINES + CLASH + CLASH.replace('"a"', '"b"'), refuse=("line 32", "'x'", "line 31"))

# --- whole files
raw("empty file", b"", refuse=("no rows",))
raw("blank lines only", "\n\n  \n", refuse=("no rows",))
raw("zero bytes only", b"\x00" * 1000, refuse=("no rows",))
raw("byte order mark only", b"\xef\xbb\xbf", refuse=("no rows",))
raw("one bad line only", "{oops\n", refuse=("1 of 1 rows", "line 1", "not JSON"))
raw("mostly bad lines", LINES + "oops\n" * 30, refuse=("30 of 60 rows", "line 31", "max_quarantined"))
raw("other columns", '{"left": "a", "right": "b"}\n', refuse=("no question", "left, right", "columns"))
raw("no answers", '{"question": "a", "why": "b"}\n', refuse=("empty_answer", "question, why", "columns="))
raw("no rows in a csv", "question,rationale,answer\n", "bank.csv", refuse=("no rows",))
raw("an html page", "<!DOCTYPE html>\n<html></html>\n", refuse=("not JSON", "line 1"))
raw("a git lfs pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", refuse=("not JSON", "line 1"))
raw("a truncated json array", json.dumps(GOOD, indent=1)[:-40], refuse=("not a JSON array", "line"))
raw("json array without a comma", json.dumps(GOOD).replace("}, {", "} {", 1), refuse=("not a JSON array", "line 1"))
raw("two lists in one object", json.dumps({"a": GOOD, "b": GOOD}), "bank.json", refuse=("a, b", "bank.json::a"))
raw("a zip named jsonl", b"PK\x03\x04" + b"\x00" * 100, refuse=("zip",))
raw("a parquet named jsonl", b"PAR1" + b"\x00" * 100, refuse=("parquet",))
raw("gzip named jsonl", gzip.compress(LINES.encode()), refuse=("gzip",))
raw("text named gz", LINES, "bank.jsonl.gz", refuse=("gzip",))
raw("truncated gzip", gzip.compress(os.urandom(4000).hex().encode())[:2000], "bank.jsonl.gz", refuse=("damaged gzip",))
raw("truncated gzip with good rows", gzip.compress(LINES.encode())[:-30], "bank.jsonl.gz", refuse=("gzip", "line"))
raw("gzip with a wrong checksum", gzip.compress(LINES.encode())[:-8] + b"\x00" * 8, "bank.jsonl.gz", refuse=("gzip",))
raw("gzip in gzip", gzip.compress(gzip.compress(LINES.encode())), "bank.jsonl.gz", refuse=("gzip data inside gzip",))
raw("empty gzip", gzip.compress(b""), "bank.jsonl.gz", refuse=("no rows",))
raw("no parquet at all", b"hello", "bank.parquet", refuse=("not a readable parquet",))
raw("truncated parquet", b"PAR1" + b"\x15\x04" * 40, "bank.parquet", refuse=("not a readable parquet",))
raw("empty parquet file", b"", "bank.parquet", refuse=("parquet",))
raw("unknown suffix", "A page of prose.\n", "bank.docx", refuse=("unknown kind", ".jsonl"))
raw("utf-16 cut in half", LINES.encode("utf-16")[:-1], refuse=("bank.jsonl", "line"))

# --- csv
raw("csv header twice the same", "question,question,answer\na,b,c\n", "bank.csv", refuse=("column names", "line 1"))
raw("csv without header", 'What is 1+2?,1+2=3,3\nWhat?,"4",4\n', "bank.csv", good=2)


def _csv(extra: str = "", delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(GOOD[0])
    writer.writerows(good.values() for good in GOOD)
    return out.getvalue() + extra


raw("csv row too short", _csv("only one cell\r\n"), "bank.csv", quarantine="1 cells for 3 columns")
raw("csv row too long", _csv("a,b,c,d\r\n"), "bank.csv", quarantine="4 cells for 3 columns")
raw("csv quote never closed", _csv('"a,b,c\r\nd,e,f\r\n'), "bank.csv", quarantine="not csv")
raw("csv text after a quote", _csv('"a"b,c,d\r\n'), "bank.csv", quarantine="not csv")
raw("csv huge cell", _csv("a," + "b" * 5_000_000 + ",c\r\n"), "bank.csv", quarantine="line over 4 MiB")
raw("csv with quotes and newlines", _csv('"Say ""what"",\r\nis 3?","1, 2,\n3",3\r\n'), "bank.csv", good=31)
raw("tsv", _csv(delimiter="\t"), "bank.tsv")
raw("csv with a byte order mark", b"\xef\xbb\xbf" + _csv().encode(), "bank.csv")

# --- unusual but valid: everything is accepted
raw("pretty-printed json", json.dumps(GOOD, indent=1))
raw("one json array", json.dumps(GOOD))
raw("a json file", json.dumps({"data": GOOD}), "bank.json")
raw("json lines of another suffix", LINES, "bank.docx")
raw("csv with an empty column name", "question,,answer\na,b,c\n", "bank.csv", good=1)
raw("byte order mark", b"\xef\xbb\xbf" + LINES.encode())
raw("windows line ends", LINES.replace("\n", "\r\n"))
raw("no line end at the end", LINES.rstrip())
raw("blank lines between", LINES.replace("\n", "\n\n"))
raw("utf-16 with mark", LINES.encode("utf-16"))
raw("utf-16 big-endian", b"\xfe\xff" + LINES.encode("utf-16-be"))
raw("zero bytes between", LINES.replace('"question"', '\x00"question"'))
raw(
    "one cp1252 line",
    LINES.encode() + '{"question": "Café?", "rationale": "3", "answer": "3"}\n'.encode("cp1252"),
    good=31,
)
raw(
    "gzip of several members", gzip.compress(LINES[:1000].encode()) + gzip.compress(LINES[1000:].encode()), "b.jsonl.gz"
)
TYPED = {"question": "q", "rationale": "is 3.5", "answer": 3.5, "tags": [None, {"a": None}]}
TRUE = {"question": "p", "rationale": "so", "answer": True}
for _name, _rationale in {"no": {}, "null": {"rationale": None}, "marks as": {"rationale": "<<1+2=3>>"}}.items():
    raw(f"{_name} rationale", LINES + json.dumps({"question": "p", "answer": "3"} | _rationale), good=31)
raw("answers of json types", LINES + json.dumps(TYPED) + "\n" + json.dumps(TRUE), good=32)
raw("unicode names", LINES, "Bänk 银行 ".strip() + ".jsonl")


# --- folders, links and other paths that are not plain files
def _case(name: str, file: str, write: Callable[[Path], None], **expected: Any) -> None:
    CASES.append(Case(name, file, write, **expected))


def _folder_of(files: dict[str, str]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        for name, text in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text)

    return write


HALF = LINES.index("\n", len(LINES) // 2) + 1
_case("no file", "bank.jsonl", void, refuse=("no such file",))
_case("empty folder", "bank", lambda path: path.mkdir(), refuse=("no .jsonl",))
_case("folder named like a file", "bank.jsonl", lambda path: path.mkdir(), refuse=("no .jsonl",))
_case("folder of other files", "bank", _folder_of({"readme.md": "#", "x.html": "[]"}), refuse=("no .jsonl",))
_case("folder with hidden files", "bank", _folder_of({".cache/a.jsonl": LINES}), refuse=("no .jsonl",))
_case(
    "folder with one empty file", "bank", _folder_of({"a.jsonl": LINES, "b.jsonl": ""}), refuse=("b.jsonl", "no rows")
)
_case("folder of two", "bank", _folder_of({"a.jsonl": LINES[:HALF], "b/c.jsonl": LINES[HALF:]}))
_case("folder that clashes", "bank", _folder_of({"a.jsonl": '{"id": "1", "question": "a"}\n', "b.jsonl": '{"id": "1", '
      '"question": "b"}\n'}), refuse=("b.jsonl", "line 1", "a.jsonl"))  # fmt: skip
_case("folder that contains itself", "bank", lambda path: (_folder_of({"a.jsonl": LINES})(path),
      (path / "again").symlink_to(path))[1])  # fmt: skip
ONE = '{"id": "1", "question": "a"}\n'
_case("folder whose later files clash", "bank", _folder_of({"a.jsonl": LINES, "b.jsonl": ONE, "c.jsonl": ONE.replace(
      '"a"', '"b"')}), refuse=("c.jsonl: line 1", "b.jsonl line 1"))  # fmt: skip
_case("folder with a dangling symlink", "bank", lambda path: (_folder_of({"a.jsonl": LINES})(path),
      (path / "b.jsonl").symlink_to("nowhere"))[1], refuse=("b.jsonl", "No such file"))  # fmt: skip
_case("symlink loop", "bank.jsonl", lambda path: path.symlink_to(path), refuse=("bank.jsonl",))
_case("dangling symlink", "bank.jsonl", lambda path: path.symlink_to("nowhere"), refuse=("no such file",))
_case("symlink to a file", "bank.jsonl", lambda path: (path.with_name("real.jsonl").write_text(LINES),
      path.symlink_to("real.jsonl"))[1])  # fmt: skip
_case("a pipe", "bank.jsonl", lambda path: os.mkfifo(path), refuse=("not a regular file",))
_case("a device", "bank.jsonl", lambda path: path.symlink_to("/dev/zero"), refuse=("not a regular file",))
_case("name too long", "b" * 300 + ".jsonl", void, refuse=("long",))

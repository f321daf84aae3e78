"""The ingest stage: sources become files, no row is lost, outputs are replaced atomically."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from helpers.hostile import GOOD
from skillshot.common.errors import InputError, ParamsError
from skillshot.common.io import read_jsonl, replaced_folder, sha256_file, swap_folders
from skillshot.common.params import Params, default_params
from skillshot.common.record import ORIGIN, normalise_question
from skillshot.sources.ingest import ingest

NOUNS = "fox owl cat dog cow hen pig rat bee ant eel elk emu gnu yak jay kid ram cod bat"
GSM8K = [
    {"question": f"Story {i} of a {noun}. How many?", "answer": f"It is {i}+1=<<{i}+1={i + 1}>>{i + 1}.\n#### {i + 1}"}
    for i, noun in enumerate(NOUNS.split())
]


def params(**settings: object) -> Params:
    return Params().changed(ingest={"source": "file", "near_duplicates": 0.0, **settings})


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def digests(folder: Path) -> dict[str, str]:
    return {file.name: sha256_file(file) for file in sorted(folder.iterdir())}


def test_published_gsm8k(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl.gz", GSM8K)
    report = ingest(params(path=str(path), holdout=0.25), tmp_path / "out")
    assert report["read"] == {"rows": 20, "accepted": 20, "quarantined": 0, "reasons": {}, "recoded_lines": 0}
    bank = list(read_jsonl(tmp_path / "out/bank.jsonl"))
    queries = list(read_jsonl(tmp_path / "out/queries.jsonl"))
    assert (len(bank), len(queries)) == (15, 5)
    first = next(row for row in bank + queries if "fox" in row["question"])
    assert first["rationale"] == "It is 0+1=1."
    assert first["answer"] == "1" and first["answer_type"] == "number"
    assert first["equations"] == ["0+1=1"] and first["op_sequence"] == ["+"]
    assert first[ORIGIN] == "train.jsonl.gz:1"


def test_formats_give_the_same_records(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    jsonl, table, parquet = tmp_path / "a.jsonl", tmp_path / "a.csv", tmp_path / "a.parquet"
    write(jsonl, GOOD)  # type: ignore[arg-type]
    with open(table, "w", newline="") as handle:
        writer = csv.DictWriter(handle, GOOD[0])
        writer.writeheader()
        writer.writerows(GOOD)
    pq.write_table(pa.Table.from_pylist(GOOD), parquet)
    rows = []
    for path in (jsonl, table, parquet):
        ingest(params(path=str(path)), tmp_path / "out")
        rows.append([{k: v for k, v in row.items() if k != ORIGIN} for row in read_jsonl(tmp_path / "out/bank.jsonl")])
    assert rows[0] == rows[1] == rows[2]


def test_output_is_reproducible_and_split_depends_on_the_seed(tmp_path: Path) -> None:
    path = write(tmp_path / "bank.jsonl", GSM8K)
    seen = []
    for seed in (7, 7, 8):
        ingest(params(path=str(path)).changed(seed=seed), tmp_path / "out")
        seen.append(digests(tmp_path / "out"))
    assert seen[0] == seen[1] != seen[2]


def test_given_queries_are_kept_and_shared_questions_are_counted(tmp_path: Path) -> None:
    bank = write(tmp_path / "bank.jsonl", GSM8K)
    queries = write(tmp_path / "queries.jsonl", [GSM8K[3], {"question": "No rationale here?"}])
    report = ingest(params(path=str(bank), queries=str(queries)), tmp_path / "out")
    assert report["groups"]["bank"] == 20 and report["groups"]["queries"] == 2
    assert report["shared"] == {"queries_identical_to_bank": 1, "queries_grouped_with_bank": 1}
    assert len(list(read_jsonl(tmp_path / "out/queries.jsonl"))) == 2


def test_planted_leaks_are_on_one_side(tmp_path: Path) -> None:
    """Each question has five versions (copied, renamed, in one database): the bank has no version of a query."""
    rows: list[dict[str, object]] = []
    for i in range(20):
        words = random.Random(i).sample(NOUNS.split(), 9)
        story = f"Ann has {i} of the {' '.join(words)} and wants more."
        retold = [story, story.upper(), story.replace("Ann", "Bob"), story.replace(str(i), str(i + 50), 1)]
        rows += [
            {"question": q, "rationale": "so", "answer": "x", "root": i, "id": f"{i}-{k}"} for k, q in enumerate(retold)
        ]
        rows.append(
            {"question": f"other {' '.join(words)}", "rationale": "so", "answer": "x", "root": i, "db_id": f"db{i}"}
        )
        rows[-2]["db_id"] = f"db{i}"
    path = write(tmp_path / "bank.jsonl", rows)
    report = ingest(params(path=str(path), holdout=0.3, near_duplicates=0.9), tmp_path / "out")
    bank, queries = ([*read_jsonl(tmp_path / f"out/{name}.jsonl")] for name in ("bank", "queries"))
    assert {row["root"] for row in queries}.isdisjoint({row["root"] for row in bank})
    questions = {normalise_question(row["question"]) for row in bank}
    assert not any(normalise_question(row["question"]) in questions for row in queries)
    assert report["groups"]["groups"] == 20 and report["groups"]["largest_group"] == 5
    assert len(queries) == 30


def test_quarantine_has_reason_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    write(path, GSM8K)
    with open(path, "a") as handle:
        handle.write('oops\n{"answer": "1"}\n')
    report = ingest(params(path=str(path)), tmp_path / "out")
    entries = list(read_jsonl(tmp_path / "out/quarantine.jsonl"))
    assert [(e["reason"][:8], e["file"], e["line"]) for e in entries] == [
        ("not JSON", "bank.jsonl", 21),
        ("no quest", "bank.jsonl", 22),
    ]
    assert report["read"]["reasons"] == {"no question": 1, "not JSON": 1}


def test_columns_and_limit(tmp_path: Path) -> None:
    rows = [
        {"q": f"What {i}?", "out": {"why": f"so {i}", "final": f"<{i}>"}, "id": "same", "extra": i} for i in range(9)
    ]
    path = write(tmp_path / "bank.jsonl", rows)  # type: ignore[arg-type]
    columns = {"question": "q", "rationale": "out.why", "answer": "out.final", "id": ""}
    report = ingest(params(path=str(path), columns=columns, limit=5, holdout=0.0), tmp_path / "out")
    assert report["read"]["rows"] == 5
    row = next(read_jsonl(tmp_path / "out/bank.jsonl"))
    assert (row["question"], row["rationale"], row["answer"], row["extra"]) == ("What 0?", "so 0", "<0>", 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"source": "fil"}, 'ingest.source: expected storyskills, gsm_symbolic, file or hub, got "fil"'),
        ({"path": None}, "ingest.path"),
        ({"source": "hub"}, "ingest.name"),
    ],
)
def test_settings_that_are_missing(settings: dict[str, object], words: str, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=words):
        ingest(params(**settings), tmp_path / "out")


@pytest.mark.parametrize(
    "override",
    [
        "ingest.holdout=1.5",
        "ingest.size=0",
        "ingest.near_duplicates=-1",
        "corruption.skew=-1",
        "validate.max_quarantined=2",
    ],
)
def test_settings_out_of_range(override: str) -> None:
    with pytest.raises(ParamsError, match=f"{override.partition('=')[0]}: expected (at least|at most|less than) "):
        default_params([override])


def test_bank_without_answers_is_refused_with_its_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "bank.jsonl", [{"question": f"q {i}", "solution_text": "x"} for i in range(9)])
    with pytest.raises(InputError, match=r"no row has an answer.*question, solution_text"):
        ingest(params(path=str(path)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_bank_needs_no_rationale(tmp_path: Path) -> None:
    rows = [{"question": f"How much is {i} times {i + 1}, and then {i * 7}?", "answer": str(i)} for i in range(40)]
    ingest(params(path=str(write(tmp_path / "bank.jsonl", rows))), tmp_path / "out")
    kept = [row["answer"] for part in ("bank", "queries") for row in read_jsonl(tmp_path / f"out/{part}.jsonl")]
    assert sorted(kept) == sorted(row["answer"] for row in rows)


def test_lost_rows_are_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An intake that drops a row is an error and does not give a smaller bank."""
    from skillshot.bank.intake import Intake
    from skillshot.common.errors import SkillshotError

    take = Intake.take
    monkeypatch.setattr(Intake, "take", lambda self, raws: list(take(self, raws))[1:])
    path = write(tmp_path / "bank.jsonl", GSM8K)
    with pytest.raises(SkillshotError, match=r"lost rows.*20 in, 19"):
        ingest(params(path=str(path)), tmp_path / "out")


def test_folder_is_replaced_atomically(tmp_path: Path) -> None:
    target = tmp_path / "out"
    (tmp_path / ".out.partial").mkdir()  # left behind by a killed process
    (tmp_path / ".out.partial" / "stale").touch()
    for content in ("first", "second"):
        with replaced_folder(target) as work:
            (work / content).write_text(content)
        assert [file.name for file in target.iterdir()] == [content]
    with pytest.raises(ZeroDivisionError), replaced_folder(target) as work:
        (work / "third").write_text("half")
        raise ZeroDivisionError
    assert [file.name for file in target.iterdir()] == ["second"]
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("platform", ["linux", "other"])
def test_swap(platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    new, old = tmp_path / "new", tmp_path / "old"
    for folder in (new, old):
        folder.mkdir()
        (folder / "name").write_text(folder.name)
    swap_folders(new, old)
    assert (old / "name").read_text() == "new"


@pytest.mark.slow
def test_killed_at_ten_random_moments(tmp_path: Path) -> None:
    """SIGKILL during the stage leaves either the old or the new outputs, byte for byte; a later run cleans up."""
    rows = [{"question": f"What is {i}?", "rationale": f"it is {i}", "answer": str(i)} for i in range(4000)]
    write(tmp_path / "bank.jsonl", rows)  # type: ignore[arg-type]
    (tmp_path / "reports").mkdir()

    def run(seed: int, kill_after: float | None = None) -> float:
        settings = params(path="bank.jsonl").changed(seed=seed)
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(settings.to_dict()))
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "skillshot.stages.ingest"], cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        if kill_after is None:
            assert process.wait() == 0
        else:
            time.sleep(kill_after)
            process.send_signal(signal.SIGKILL)
            process.wait()
        return time.monotonic() - start

    states, out = {}, tmp_path / "data" / "ingest"
    for seed in (2, 1):
        seconds = run(seed)
        states[seed] = digests(out)
    assert states[1] != states[2]
    moments = random.Random(7)
    for _ in range(10):
        run(2, kill_after=moments.uniform(0.2, 1.1) * seconds)
        assert digests(out) in states.values()
    run(2)
    assert digests(out) == states[2]
    assert os.listdir(out.parent) == ["ingest"]  # noqa: PTH208

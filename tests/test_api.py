"""Examples to a bundle: what is refused, what is kept, what is logged. The parts that learn are stand-ins."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import skillshot
from helpers.story import Story
from skillshot.api import fit_bundle
from skillshot.common.errors import ColumnsError, InputError, ParamsError
from skillshot.common.io import write_jsonl
from skillshot.common.params import Params, default_params
from skillshot.common.record import Record
from skillshot.encoder import Embedded


class Parts:
    """Stand-ins for encoder, training and export; what reached the bundle is in `seen`, a copied one stands for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, copied: Path | None = None) -> None:
        self.seen: list[Record] = []
        self.copied = copied
        ready = SimpleNamespace(files=[], encoder=lambda: None, max_difference=0.0)
        monkeypatch.setattr("skillshot.export.ready.ready_encoder", lambda _: ready)
        monkeypatch.setattr("skillshot.encoder.fastest", lambda *_: None)
        monkeypatch.setattr("skillshot.encoder.embed_texts", self.embed)
        monkeypatch.setattr("skillshot.features.knowledge.known_language", lambda *_: 0.987654)
        self.suspicious: list[dict[str, Any]] = []
        nothing: dict[str, Any] = {"vectors": {}, "diagnostics": {}, "score": {}, "verdict": {"source": "rationale"}}
        view = SimpleNamespace(prior=None)
        fitted = SimpleNamespace(**nothing, suspicious=self.suspicious, rationale_view=view)
        self.explained: list[Any] = []  # the embeddings of rationales that reached training
        monkeypatch.setattr("skillshot.training.fit.fit", lambda *given, **_: self.explained.append(given[2]) or fitted)
        monkeypatch.setattr("skillshot.export.model.export_model", lambda *_: {})
        monkeypatch.setattr("skillshot.bundle.build.build_bundle", self.build)

    def embed(self, _: Any, texts: Sequence[str], __: int, title: str) -> Embedded:
        return Embedded(np.zeros((len(texts), 2), np.float32), 3 if title == "questions" else 0, 256)

    def build(self, _: Path, __: Any, records: Sequence[Record], ___: Any, params: Params, folder: Path) -> None:
        self.seen, self.params = list(records), params
        if self.copied is not None:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self.copied, folder, copy_function=os.link)


def write_bank(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    write_jsonl(path, rows)
    return path


ROWS = [
    {"id": str(i), "task": f"What is {i} + 1?", "rationale": f"Add: {i + 1}", "answer": str(i + 1)} for i in range(20)
]
COLUMNS = default_params(["ingest.columns={question: task}"])


def test_refused_rows_are_written_with_line_and_reason_and_cut_texts_are_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parts = Parts(monkeypatch)
    caplog.set_level("INFO", "skillshot")
    bank = write_bank(tmp_path / "bank.jsonl", [*ROWS, {"id": "x", "task": "Why?", "rationale": "", "answer": ""}])
    report = fit_bundle(bank, tmp_path / "out", COLUMNS)
    assert [record.question for record in parts.seen] == [row["task"] for row in ROWS]
    (row,) = map(json.loads, (tmp_path / "out.quarantine.jsonl").read_text().splitlines())
    assert row["line"] == 21 and row["reason"] == "empty_answer" and report["reasons"] == {"empty_answer": 1}
    assert "embed: 3 questions exceed the encoder's 256 tokens and were cut" in caplog.messages
    assert "bank: 20 accepted, 1 quarantined" in caplog.messages and "rationales exceed" not in caplog.text
    assert report["truncated"] == {"questions": 3} and report["structure"] == "rationale"


@pytest.mark.parametrize("baselines", [False, True])
def test_rationales_are_embedded_only_for_the_baselines(
    baselines: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(monkeypatch)
    bank = write_bank(tmp_path / "bank.jsonl", ROWS)
    report = fit_bundle(bank, tmp_path / "out", COLUMNS, baselines=baselines)
    (explained,) = parts.explained
    assert (explained is not None) == baselines
    assert report["truncated"] == {"questions": 3} | ({"rationales": 0} if baselines else {})


def test_a_limit_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch)
    params = default_params(["ingest.columns={question: task}", "ingest.limit=4", "validate.min_bank=4"])
    fit_bundle(write_bank(tmp_path / "bank.jsonl", ROWS), tmp_path / "out", params)
    assert len(parts.seen) == 4 and not (tmp_path / "out.quarantine.jsonl").exists()


@pytest.mark.parametrize(("count", "shown"), [(1, "1 example"), (5, "5 examples"), (19, "19 examples"), (20, "")])
def test_a_small_bank_is_accepted_and_logged(
    count: int, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parts = Parts(monkeypatch)
    bank = write_bank(tmp_path / "bank.jsonl", ROWS[:count])
    fit_bundle(bank, tmp_path / "out", COLUMNS)
    assert len(parts.seen) == count
    wanted = f"{bank}: {shown}, below validate.min_bank 20: little can be learned; similarity of wording decides"
    assert [line for line in caplog.messages if "min_bank" in line] == ([wanted] if shown else [])


def test_the_phases_after_training_are_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Parts(monkeypatch)
    caplog.set_level("INFO", "skillshot")
    fit_bundle(write_bank(tmp_path / "bank.jsonl", ROWS), tmp_path / "out", COLUMNS)
    assert [line.split(":")[0] for line in caplog.messages][-2:] == ["export", "index"]


@pytest.mark.parametrize("folder", [True, False])
def test_what_is_no_bundle_is_never_replaced(folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Parts(monkeypatch)
    out = tmp_path / "out"
    if folder:
        out.mkdir()
    kept = out / "thesis.tex" if folder else out
    kept.write_text("years of work")
    with pytest.raises(InputError, match="exists and is not a bundle"):
        fit_bundle(write_bank(tmp_path / "bank.jsonl", ROWS), out, COLUMNS)
    assert kept.read_text() == "years of work"


def test_fit_takes_a_path_mappings_a_data_frame_or_a_data_set(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pandas, datasets = pytest.importorskip("pandas"), pytest.importorskip("datasets")
    parts = Parts(monkeypatch, bundle)
    frame = pandas.DataFrame(ROWS).assign(context=[None, float("nan"), "A page.", *[pandas.NA] * 17])
    wanted = None
    for examples in (
        write_bank(tmp_path / "bank.jsonl", ROWS), str(tmp_path / "bank.jsonl"), ROWS, iter(ROWS),
        pandas.DataFrame(ROWS), datasets.Dataset.from_list(ROWS),
    ):  # fmt: skip
        selector = skillshot.fit(examples, columns={"question": "task"})
        assert isinstance(selector, skillshot.Selector) and selector.report["accepted"] == 20
        wanted = wanted or parts.seen
        assert parts.seen == wanted
    skillshot.fit(frame, columns={"question": "task"})
    assert [record.context for record in parts.seen] == ["", "", "A page.", *[""] * 17]
    numbers = [row | {"answer": np.int64(i + 1), "options": np.array(["1", "2"])} for i, row in enumerate(ROWS)]
    skillshot.fit(numbers, columns={"question": "task"})
    assert parts.seen[3].answer == "4" and parts.seen[3].options == ("1", "2")
    skillshot.fit(parts.seen)  # records, as they are
    assert parts.seen[3].answer == "4"


def test_every_row_is_accepted_or_quarantined(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Parts(monkeypatch, bundle)
    selector = skillshot.fit([*ROWS, 7, {"task": "Why?"}], columns={"question": "task"})
    report = selector.report
    assert (report["accepted"], report["quarantined"]) == (20, 2)
    assert [(row["file"], row["line"], row["reason"]) for row in report["quarantine"]] == [
        ("<examples>", 21, "a int, not a mapping of columns"), ("<examples>", 22, "empty_answer"),
    ]  # fmt: skip
    assert [record.levelname for record in caplog.records if "quarantined" in record.message] == ["WARNING"] * 3


def test_examples_that_cannot_be_used_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Parts(monkeypatch)
    with pytest.raises(ColumnsError, match="the columns left, right; question may be left or right"):
        skillshot.fit([{"left": f"a {i}", "right": f"b {i}"} for i in range(20)])
    for examples, reason in (
        ([], "0 of 0 rows are unusable"),
        ({"train": ROWS}, "one mapping with train; expected a list of mappings, or one split"),
        (7, "examples: int: expected a path"),
    ):
        with pytest.raises(InputError, match=reason):
            skillshot.fit(examples)
    with pytest.raises(ParamsError, match="epochs"):
        skillshot.fit(ROWS, params={"train.epochs": -1})
    with pytest.raises(ParamsError, match=r"select\.k"):
        skillshot.fit(ROWS, k=-3)
    with pytest.raises(TypeError):
        skillshot.fit(ROWS, 4)  # type: ignore[misc]


def test_settings_reach_the_params(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch, bundle)
    for params in ({"train.beta": 0.3, "seed": 3}, {"train": {"beta": 0.3}, "seed": 3}, Params(seed=3).changed(
        train=Params().train.changed(beta=0.3)
    )):  # fmt: skip
        skillshot.fit(ROWS, k=2, columns={"question": "task"}, params=params)
        assert (parts.params.train.beta, parts.params.seed, parts.params.select.k) == (0.3, 3, 2)
        assert parts.params.ingest.columns == {"question": "task"}


def test_without_out_the_bundle_goes_with_its_last_selector(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Parts(monkeypatch, bundle)
    selector = skillshot.fit(ROWS, columns={"question": "task"})
    folder = selector.options.folder
    assert folder.is_dir() and len(selector.select("How many?")) == 4
    del selector
    gc.collect()
    assert not folder.parent.exists()


def test_suspicious_rows_are_written_worst_first_and_an_earlier_file_is_removed(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parts = Parts(monkeypatch, bundle)
    parts.suspicious += [{"id": f"r{i}", "score": 0.9 - i / 100, "reason": "why"} for i in range(25)]
    selector = skillshot.fit(ROWS, columns={"question": "task"}, out=tmp_path / "out")
    assert selector.report["suspicious"] == {"rows": 25, "worst": parts.suspicious[:20]}
    lines = (tmp_path / "out.suspicious.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == parts.suspicious
    assert "25 rows held for wrong" in caplog.text and selector.report["encoder_knowledge"] == 0.988
    parts.suspicious.clear()
    del selector
    skillshot.fit(ROWS, columns={"question": "task"}, out=tmp_path / "out")
    assert not (tmp_path / "out.suspicious.jsonl").exists()


def test_rows_in_quarantine_because_their_answer_is_not_reached_are_suspicious_too(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Parts(monkeypatch, bundle)
    rows = [{"question": f"What is {i} + 1?", "rationale": f"{i} + 1 = {i + 1}", "answer": i + 1} for i in range(30)]
    skillshot.fit(
        [*rows, {"id": "odd", "question": "And 7 + 1?", "rationale": "7 + 1 = 8", "answer": 99}], out=tmp_path / "out"
    )
    found = [json.loads(line) for line in (tmp_path / "out.suspicious.jsonl").read_text().splitlines()]
    assert [(row["id"], row["score"]) for row in found] == [("odd", 1.0)]
    assert found[0]["reason"] == "answer_not_in_rationale: in quarantine"


def test_a_quarantine_file_of_an_earlier_bundle_is_removed(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Parts(monkeypatch, bundle)
    skillshot.fit([*ROWS, {"task": "Why?"}], columns={"question": "task"}, out=tmp_path / "out")
    assert (tmp_path / "out.quarantine.jsonl").exists()
    selector = skillshot.fit(ROWS, columns={"question": "task"}, out=tmp_path / "out")
    assert not (tmp_path / "out.quarantine.jsonl").exists() and selector.report["quarantine"] == []
    del selector
    assert (tmp_path / "out/manifest.json").exists()


def test_the_package_shows_what_it_offers_and_imports_nothing_for_it() -> None:
    code = (
        "import sys, skillshot\n"
        "assert not {'numpy', 'onnxruntime'} & set(sys.modules)\n"
        "print(*dir(skillshot)); print(all(getattr(skillshot, name) for name in dir(skillshot)))\n"
        "print({'torch', 'pandas', 'datasets', 'pydantic', 'jinja2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, found, heavy = done.stdout.splitlines()
    assert names.split() == sorted(skillshot.__all__) and {"fit", "Selector", "Explanation"} <= {*names.split()}
    assert found == "True" and heavy == "set()"
    with pytest.raises(AttributeError, match="'skillshot' has no attribute 'Fit'"):
        skillshot.Fit  # noqa: B018


@pytest.mark.slow
def test_from_examples_to_a_shared_bundle_and_back(story: Story, tmp_path: Path) -> None:
    """The snippet of the README's API, with little training."""
    examples = [record.to_dict() for record in story[0][:150]]
    selector = skillshot.fit(
        examples, k=3, params={"train.epochs": 5, "train.min_gap": 0, "export.parity_questions": 8}
    )
    assert len(selector.select("How many apples are left?")) == 3
    assert selector.save_pretrained(tmp_path / "folder") == str(tmp_path / "folder")
    loaded = skillshot.Selector.load(tmp_path / "folder")
    again = skillshot.Selector.from_pretrained(tmp_path / "folder", "lite")
    assert loaded.select("How many apples are left?") == selector.select("How many apples are left?")
    new = story[0][150].to_dict()
    larger = loaded.add([new])
    assert (len(loaded), len(larger)) == (150, 151)
    smaller = larger.remove([new["id"]])
    assert [d.id for d in smaller.select("How many?")] == [d.id for d in loaded.select("How many?")]
    assert len(again.reload()) == 150


def test_a_bank_in_a_language_that_the_encoder_lacks_is_warned(caplog: pytest.LogCaptureFixture) -> None:
    from skillshot.export.ready import ready_encoder
    from skillshot.features.knowledge import known_language

    encoder = ready_encoder("minilm").encoder()
    assert known_language(encoder, ["How many apples are left in the basket?"]) > 0.9 and not caplog.text
    assert known_language(encoder, ["바구니에 남은 사과는 몇 개입니까?"]) < 0.3
    assert "knows little of the bank's language" in caplog.text

"""The served model: each bad row is refused by its index, the good ones of the batch are answered."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

mlflow = pytest.importorskip("mlflow")

import pandas as pd  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.pyfunc import scoring_server  # noqa: E402

from skillshot import Selector  # noqa: E402
from skillshot.track import signature  # noqa: E402

QUESTION = "A train covers 120 km in 2 hours. How far in 5 hours?"
FIELDS = {"id", "question", "rationale", "answer", "score", "confidence", "context", "options", "metadata"}


@pytest.fixture(scope="module")
def model(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model as `mlflow models serve` loads it."""
    import skillshot

    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(bundle, folder / "bundle")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # asks for an example
        mlflow.pyfunc.save_model(
            str(folder / "model"), python_model=str(Path(skillshot.__file__).parent / "track/pyfunc.py"),
            artifacts={"bundle": str(folder / "bundle")}, signature=signature.SIGNATURE, pip_requirements=["numpy"],
        )  # fmt: skip
    return mlflow.pyfunc.load_model(str(folder / "model"))


@pytest.fixture(scope="module")
def selector(bundle: Path) -> Selector:
    return Selector.load(bundle)


def ask(model: Any, body: dict[str, Any]) -> list[Any]:
    """The predictions for a request, through MLflow's scoring server."""
    reply = scoring_server.invocations(json.dumps(body), "application/json", model, model.metadata.get_input_schema())
    assert reply.status == 200

    def number(text: str) -> float:
        raise AssertionError(f"{text} is not JSON")

    return list(json.loads(reply.response, parse_constant=number)["predictions"])


def shapes(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same rows in the formats of the scoring server that keep types."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    data = [[row.get(name) for name in names] for row in rows]
    return {
        "split": {"dataframe_split": {"columns": names, "data": data}},
        "records": {"dataframe_records": rows},
        "inputs": {"inputs": {name: [row.get(name) for row in rows] for name in names}},
    }


BAD = (
    None, float("nan"), "", "  \n", "\u200b\u00ad", [], ["a"], [["a"]], {}, {"q": "a"}, 0, 5, 2.5, True, False, 10**30,
    "x" * 200_000, float("inf"),
)  # fmt: skip


@pytest.mark.parametrize("shape", ["split", "records", "inputs"])
def test_each_bad_row_is_refused_and_the_others_answered(model: Any, selector: Selector, shape: str) -> None:
    rows = [{"question": value} for bad in BAD for value in (bad, QUESTION)]
    found = ask(model, shapes(rows)[shape])
    assert len(found) == len(rows)
    for i, answer in enumerate(found):
        if i % 2:
            assert [one["id"] for one in answer] == [one.id for one in selector.select(QUESTION, 4)]
        else:
            assert list(answer) == ["error"] and answer["error"].startswith(f"row {i}: question ")


@pytest.mark.parametrize("value", [bad for bad in BAD if bad not in (["a"], [])], ids=lambda value: repr(value)[:20])
def test_a_request_without_a_good_row_is_refused(model: Any, value: Any) -> None:
    with pytest.raises(MlflowException, match="row 0: question") as caught:
        ask(model, {"dataframe_split": {"columns": ["question"], "data": [[value]]}})
    assert caught.value.get_http_status_code() == 400


@pytest.mark.parametrize(
    "row",
    [{"context": 5}, {"context": ["a"]}, {"context": {}}, {"options": "abc"}, {"options": 5}, {"options": [None]},
     {"options": [["a"]]}, {"options": [{}]}, {"context": "x" * 200_000}],
    ids=lambda row: repr(row)[:25],
)  # fmt: skip
def test_a_bad_context_or_option_is_refused(model: Any, row: dict[str, Any]) -> None:
    (first, second) = ask(model, {"dataframe_records": [{"question": QUESTION, **row}, {"question": QUESTION}]})
    assert first["error"].startswith("row 0: ") and len(second) == 4


@pytest.mark.parametrize("shape", ["split", "records", "inputs"])
def test_context_and_options_count(model: Any, selector: Selector, shape: str) -> None:
    rows = [{"question": "What is it?", "context": QUESTION, "options": ["300", "240"]},
            {"question": "What is it?", "context": None, "options": None}]  # fmt: skip
    found = ask(model, shapes(rows)[shape])
    assert [one["id"] for one in found[0]] == [one.id for one in selector.select(rows[0], 4)]
    assert [one["id"] for one in found[1]] == [one.id for one in selector.select("What is it?", 4)]
    prompt = ask(model, {**shapes(rows)[shape], "params": {"prompt": True}})[0]
    assert prompt == selector.prompt(rows[0], 4) and "240" in prompt


def test_an_answer_has_all_fields(model: Any, selector: Selector) -> None:
    (found,) = ask(model, {"inputs": {"question": [QUESTION]}})
    assert set(found[0]) == FIELDS and found[0]["metadata"]
    assert found == [one.to_dict() for one in selector.select(QUESTION, 4)]


def test_a_request_may_ask_why(model: Any, selector: Selector) -> None:
    rows = {"inputs": {"question": [QUESTION, None]}, "params": {"explain": True, "k": 2}}
    why, refused = ask(model, rows)
    assert why == json.loads(json.dumps(selector.explain(QUESTION, k=2).to_dict()))
    assert [reason["demonstration"]["id"] for reason in why["reasons"]] == [
        one.id for one in selector.select(QUESTION, 2)
    ]
    assert "steps" in why and refused["error"].startswith("row 1: question null")
    first = why["reasons"][0]["demonstration"]["id"]
    (other,) = ask(model, {"inputs": {"question": [QUESTION]}, "params": {"explain": True, "exclude": [first]}})
    assert first not in [reason["demonstration"]["id"] for reason in other["reasons"]] and len(other["reasons"]) == 4


def test_filters_are_params(model: Any, selector: Selector) -> None:
    body = {"inputs": {"question": [QUESTION]}}
    first = selector.select(QUESTION, 1)[0]
    field = "skill"
    assert field in first.metadata
    without = ask(model, {**body, "params": {"exclude": [first.id]}})[0]
    assert first.id not in [one["id"] for one in without] and len(without) == 4
    same = ask(model, {**body, "params": {"where": json.dumps({field: first.metadata[field]}), "k": 3}})[0]
    assert [one["metadata"][field] for one in same] == [first.metadata[field]] * len(same)
    low = ask(model, {**body, "params": {"min_score": first.score - 1e-6}})[0]
    assert [one["id"] for one in low] == [first.id]
    assert ask(model, {**body, "params": {"min_score": 1}}) == [[]], "a whole number is a number"


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"k": 0}, "at least 1"), ({"k": -1}, "at least 1"), ({"k": "4"}, "k"), ({"k": 2.5}, "k"), ({"k": [4]}, "k"),
    ({"prompt": "yes"}, "prompt"), ({"prompt": 1}, "prompt"), ({"exclude": "a"}, "exclude"),
    ({"exclude": ["no such id"]}, "no such id"), ({"exclude": [5]}, "exclude"), ({"exclude": {"a": 1}}, "exclude"),
    ({"where": "no JSON"}, "where='no JSON'"), ({"where": "[1]"}, "where="), ({"where": "5"}, "where="),
    ({"where": {"a": 1}}, "where"), ({"where": '{"no such field": 1}'}, "no such field"),
    ({"where": "[" * 100_000}, "where="), ({"min_score": "1"}, "min_score"), ({"min_score": [1]}, "min_score"),
    ({"kk": 4}, r"Unrecognized params \['kk'\]; expected"), ({"K": 4, "k": 2}, "Unrecognized"),
    ({"temperature": 1, "prompt": True}, "Unrecognized"), ({"explain": "yes"}, "explain"), ({"explain": 1}, "explain"),
    ({"prompt": True, "explain": True}, "prompt and explain are both true"),
)  # fmt: skip


@pytest.mark.parametrize(("params", "message"), REFUSED, ids=lambda value: str(value)[:30])
def test_a_wrong_param_is_refused(model: Any, params: dict[str, Any], message: str) -> None:
    with pytest.raises(MlflowException, match=message) as caught:
        ask(model, {"inputs": {"question": [QUESTION]}, "params": params})
    assert caught.value.get_http_status_code() == 400


def test_params_of_another_model_only_warn() -> None:
    import logging

    record = logging.LogRecord("m", logging.WARNING, "", 0, "Unrecognized params ['x'] ... {'temperature'}", (), None)
    logger = logging.getLogger("mlflow.models.utils")
    assert logger.filter(record)


def test_columns_that_arrive_as_one_row_are_rows(model: Any, selector: Selector) -> None:
    found = ask(model, {"inputs": {"question": [QUESTION, "How many in all?"], "context": ["", "Two and two."]}})
    asked = [QUESTION, {"question": "How many in all?", "context": "Two and two."}]
    assert [[one["id"] for one in row] for row in found] == [
        [one.id for one in row] for row in selector.select_batch(asked, 4)
    ]
    assert ask(model, {"inputs": {"question": []}}) == []
    (one,) = ask(model, {"inputs": {"question": QUESTION}})
    assert len(one) == 4
    with pytest.raises(MlflowException, match="row 0: question"):
        ask(model, {"inputs": {"question": ["a"], "context": ["b", "c"]}})


def test_an_empty_table_and_a_data_frame(model: Any) -> None:
    assert model.predict(pd.DataFrame({"question": []})) == []
    table = pd.DataFrame({"question": ["How many?", None], "options": [["a", "b"], None]}, index=[7, 9])
    first, second = model.predict(table)
    assert len(first) == 4 and second["error"].startswith("row 1: question null")
    with pytest.raises(MlflowException, match="question"):
        model.predict(pd.DataFrame({"query": ["a"]}))


def test_the_signature_is_what_the_model_reads() -> None:
    from skillshot.track import pyfunc

    assert [spec.name for spec in signature.SIGNATURE.params] == list(pyfunc.PARAMS)
    assert signature.SIGNATURE.inputs.input_names() == list(pyfunc.COLUMNS)
    assert type(signature.SIGNATURE).from_dict(signature.SIGNATURE.to_dict()) == signature.SIGNATURE


def test_the_environment_names_an_audit_record(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skillshot.common.chain import check
    from skillshot.track.pyfunc import AUDIT, SkillshotModel

    monkeypatch.setenv(AUDIT, str(tmp_path / "audit.jsonl"))
    served = SkillshotModel()
    served.load_context(SimpleNamespace(artifacts={"bundle": str(bundle)}))
    served.predict(pd.DataFrame({"question": [QUESTION, "How many?"]}), {"k": 2})
    served.predict(pd.DataFrame({"question": [QUESTION]}), {"prompt": True})
    served.predict(pd.DataFrame({"question": [QUESTION]}), {"explain": True})
    assert (check(tmp_path / "audit.jsonl").lines, check(tmp_path / "audit.jsonl").wrong) == (4, ())

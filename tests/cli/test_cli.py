"""The command line: help with an example, JSON alone on stdout, exit codes, short messages."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.story import Story
from skillshot.cli.main import COMMANDS, GROUPS, build_parser, main
from skillshot.common.record import write_records

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert f"example: skillshot {command}" in " ".join(text.split())
    assert "--json" in text


def test_the_help_lists_each_command_once_in_its_group() -> None:
    text = build_parser().format_help()
    for title, names in GROUPS.items():
        _, _, block = text.partition(f"{title}:\n")
        listed = [line.split()[0] for line in block.split("\n\n")[0].splitlines()]
        assert tuple(listed) == names
    assert "example: skillshot fit" in text


def test_shared_options_mean_the_same_in_every_command() -> None:
    """One help text an option, apart from a default of its own."""
    (choices,) = (action.choices for action in build_parser()._subparsers._group_actions)  # type: ignore[union-attr]
    texts: dict[str, set[str]] = {}
    for parser in choices.values():  # type: ignore[union-attr]
        for action in parser._actions:
            for option in action.option_strings:
                texts.setdefault(option, set()).add(str(action.help).split(" (default")[0])
    for option in ("-k", "--limit", "--seed", "--columns", "--json", "--accept", "--markdown", "--template"):
        assert len(texts[option]) == 1, option


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["select"],
        ["select", "nowhere", "a question"],
        ["select", "{bundle}"],
        ["select", "{bundle}", "q", "-k", "0"],
        ["select", "{bundle}", "q", "-k", "many"],
        ["select", "{bundle}", "q", "--columns", "question=problem"],
        ["select", "{bundle}", "q", "--template", "nowhere.j2"],
        ["select", "{bundle}", "q", "--prompt", "--template", "nowhere.j2"],
        ["score", "{bundle}", "{queries}", "--label", "skill", "--limit", "0"],
        ["score", "{bundle}", "{queries}", "--label", "skill", "--columns", "question"],
        ["score", "{bundle}", "{queries}", "--label", "skill", "--columns", "question=nothing"],
        ["evaluate", "{bundle}", "{queries}", "--shots", "0"],
        ["evaluate", "{bundle}", "{queries}", "-k", "0"],
        ["evaluate", "{bundle}", "{queries}", "--limit", "some"],
        ["evaluate", "{bundle}", "{queries}", "--selectors", ","],
        ["bench", "{bundle}", "-k", "0"],
        ["bench", "{bundle}", "--queries", "0"],
        ["select", "{bundle}", "q", "--where", "grade"],
        ["select", "{bundle}", "q", "--exclude", "no-such-id"],
        ["select", "{bundle}", "--questions", "nowhere.txt"],
        ["score", "{bundle}", "nowhere.jsonl", "--label", "skill"],
        ["score", "{bundle}", "{queries}", "--label", "colour"],
        ["score", "{bundle}", "{queries}", "--label", "skill", "-k", "0"],
        ["fit", "nowhere.jsonl", "--out", "{new}"],
        ["fit", "{queries}", "--out", "{new}", "--set", "train.betta=1"],
        ["fit", "{queries}", "--out", "{queries}"],
        ["add", "{bundle}", "{queries}", "--fast"],
        ["remove", "{bundle}", "no-such-id"],
        ["bench", "nowhere"],
    ],
)
def test_bad_usage_is_two_and_short(
    arguments: list[str], bundle: Path, story: Story, tmp_path: Path, capsys: Capture
) -> None:
    write_records(tmp_path / "queries.jsonl", story[1][:30])
    places = {"bundle": bundle, "queries": tmp_path / "queries.jsonl", "new": tmp_path / "new"}
    try:
        code: object = main([argument.format(**places) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2
    assert "Traceback" not in error
    assert 1 <= len(error.strip().splitlines()) <= 3
    assert error.startswith("skillshot") and "[-h]" not in error
    assert not (tmp_path / "new").exists()


def test_select(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["select", str(bundle), "How many in all?", "-k", "2", "--json"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert len(chosen) == 2 and chosen[0]["rationale"]
    assert main(["select", str(bundle), "How many in all?", "--prompt", "--where", "language=en"]) == 0
    assert capsys.readouterr().out.endswith("Question: How many in all?\nAnswer:\n")
    assert main(["select", str(bundle), "How many in all?", "--explain", "--exclude", chosen[0]["id"]]) == 0
    assert chosen[0]["id"] not in capsys.readouterr().out
    (tmp_path / "q.txt").write_text('How many?\n\n{"question": "How far?", "context": "a map"}\n')
    assert main(["select", str(bundle), "--questions", str(tmp_path / "q.txt"), "--prompt"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["question"] for row in rows] == ["How many?", "How far?"]
    assert "a map" in rows[1]["prompt"]


CSV = "id,prompt,solution\n1,How many?,3 + 4 = 7\n2,How many?,so 5\n3,,none\n"


def test_select_reads_questions_from_any_form_of_a_bank(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "questions.csv"
    path.write_text(CSV)
    assert main(["select", str(bundle), "--questions", str(path)]) == 0
    output = capsys.readouterr()
    assert [json.loads(line)["question"] for line in output.out.splitlines()] == ["How many?", "How many?"]
    assert output.err.splitlines() == [
        "questions.csv: columns are guessed; to confirm or change them: --columns question=prompt",
        "questions.csv: line 4: left out: no question",
    ]
    other = tmp_path / "other.csv"
    other.write_text("left,right\nHow many now,How many then\nHow far is it,How far was it\n")
    assert main(["select", str(bundle), "--questions", str(other)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"skillshot select: {other}: 2 of 2 rows are unusable: no question (2, first other.csv: line 2)",
        "the file has the columns left, right; question may be left or right",
        "add --columns question=COLUMN",
    ]
    assert main(["select", str(bundle), "--questions", str(path), "--columns", "question=prompt", "-k", "1"]) == 0
    output = capsys.readouterr()
    assert [json.loads(line)["question"] for line in output.out.splitlines()] == ["How many?", "How many?"]
    assert output.err == "questions.csv: line 4: left out: no question\n"


def test_the_line_to_paste_works(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    shutil.copytree(bundle, tmp_path / "copy")
    path = tmp_path / "more.jsonl"
    rows = [{"id": "x", "Problem": f"What is {i} + 1?", "Solution": f"It is {i + 1}", "mark": i + 1} for i in range(3)]
    columns = "question=Problem,answer=mark"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["add", str(tmp_path / "copy"), str(path)]
    assert main([*command, "--columns", columns]) == 2
    option = capsys.readouterr().err.splitlines()[-1].removeprefix("add ")
    assert option == f"--columns {columns},id="
    assert main([*command, *shlex.split(option)]) == 0
    assert "3 added, 0 refused" in capsys.readouterr().out


def test_a_template_of_the_user(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("jinja2")
    template, system, questions = tmp_path / "prompt.j2", tmp_path / "system.txt", tmp_path / "questions.txt"
    template.write_text("{{ demonstrations | length }} examples. {{ question }}")
    system.write_text("Be brief.")
    questions.write_text("How many?\n")
    own = ["-k", "2", "--prompt", "--template", str(template), "--system", str(system)]
    assert main(["select", str(bundle), "How many?", *own]) == 0
    assert capsys.readouterr().out == "Be brief.\n\n2 examples. How many?\n"
    assert main(["select", str(bundle), "--questions", str(questions), *own]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == "Be brief.\n\n2 examples. How many?"


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def load(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'faiss'", name="faiss")

    monkeypatch.setattr("skillshot.runtime.selector.Selector.load", load)
    assert main(["select", "x", "How many?"]) == 2
    error = capsys.readouterr().err
    assert error == "skillshot select: the package faiss-cpu is not installed: pip install 'skillshot[large]'\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["select", "{bundle}", "q", "--prompt", "--template", "nowhere.j2"], "nowhere.j2: no such file; it is the"),
        (["select", "{bundle}", "q", "--prompt", "--system", "nowhere.j2"], "nowhere.j2: no such file; it is the"),
        (["select", "nowhere", "q"], "nowhere: no such folder; make a bundle"),
        (["bench", "nowhere"], "nowhere: no such folder; make a bundle"),
        (["remove", "nowhere", "x"], "nowhere: no such folder; make a bundle"),
        (["remove", "{bundle}", "no-such-id"], "{bundle} has no demonstration 'no-such-id'"),
        (["fit", "bank.csv", "--out", "x", "--columns", "questoin=problem"],
         "columns: unknown field questoin; did you mean question?"),
    ],
)  # fmt: skip
def test_plain_messages(
    arguments: list[str], error: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bank.csv").write_text("problem,why,final\nq,r,4\n")
    assert main([argument.format(bundle=bundle) for argument in arguments]) == 2
    first = capsys.readouterr().err.splitlines()[0]
    path, _, rest = error.format(bundle=bundle).partition(":")
    assert first.startswith(f"skillshot {arguments[0]}: ") and path in first and first.count(f"{arguments[0]}:") == 1
    assert rest in first


@pytest.mark.slow
def test_score(bundle: Path, story: Story, tmp_path: Path, capsys: Capture) -> None:
    write_records(tmp_path / "queries.jsonl", story[1])
    assert main(["score", str(bundle), str(tmp_path / "queries.jsonl"), "--label", "skill", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["k"] == 4 and report["queries"] == len(story[1])
    assert set(report["selectors"]["skillshot"]) == {"hit@1", "hit@k", "any@k"}
    assert main(["score", str(bundle), str(tmp_path / "queries.jsonl"), "--label", "skill"]) == 0
    assert "oracle" in capsys.readouterr().out


def test_add_and_remove(bundle: Path, story: Story, tmp_path: Path, capsys: Capture) -> None:
    shutil.copytree(bundle, tmp_path / "copy")
    write_records(tmp_path / "more.jsonl", story[1][:25])
    assert main(["add", str(tmp_path / "copy"), str(tmp_path / "more.jsonl"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 25
    assert main(["remove", str(tmp_path / "copy"), story[1][0].id]) == 0
    assert "1 removed" in capsys.readouterr().out


def test_bench(bundle: Path, capsys: Capture) -> None:
    assert main(["bench", str(bundle), "--queries", "5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["modes"]) == {"full", "lite"}
    assert report["modes"]["full"]["recall"] == 1.0


def test_the_installed_command_and_a_closed_pipe(bundle: Path) -> None:
    command = [sys.executable, "-m", "skillshot.cli.main", "select", str(bundle), "How many?", "--prompt"]
    done = subprocess.run(
        f"{' '.join(command[:-2])} 'How many?' --prompt | head -1", shell=True, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr

"""params.yaml: typed, complete, bounded; errors name key, value and what is allowed."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pydantic
import pytest
import yaml

from scripts.params_schema import PATH, schema
from skillshot.common.errors import ParamsError
from skillshot.common.params import LlmParams, Params, TrainParams, default_params, load_params
from skillshot.common.section import Section

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = Params().to_dict()
KEY = "sk-hunter2hunter2hunter2"
HUGE = 10**9 + 1

# key, value as YAML, what the message shows of it, what is allowed
REFUSED = [
    ("seed", "-1", "-1", "at least 0"),
    ("seed", "4294967296", "4294967296", "less than 4294967296"),
    ("seed", "true", "true", "a whole number"),
    ("engine", "spark", '"spark"', "local or ray"),
    ("ingest.source", "fil", '"fil"', "storyskills, gsm_symbolic, file or hub"),
    ("ingest.size", "0", "0", "at least 1"),
    ("ingest.size", str(HUGE), str(HUGE), "at most 1000000000"),
    ("ingest.holdout", "1", "1", "less than 1"),
    ("ingest.holdout", "-0.1", "-0.1", "at least 0"),
    ("ingest.path", "''", '""', "text that is not empty or null"),
    ("ingest.columns", "[question]", '["question"]', "keys with values"),
    ("ingest.columns", "{question: 1}", "1", "text"),
    ("ingest.near_duplicates", "-1", "-1", "at least 0"),
    ("ingest.limit", "0", "0", "at least 1 or null"),
    ("ingest.limit", "1.5", "1.5", "a whole number or null"),
    ("corruption.wrong_rationales", "1.1", "1.1", "at most 1"),
    ("corruption.keep", "0", "0", "at least 1 or null"),
    ("corruption.skew", "11", "11", "at most 10"),
    ("validate.max_quarantined", "2", "2", "at most 1"),
    ("validate.min_bank", "0", "0", "at least 1"),
    ("embed.model", "7", "7", "text"),
    ("embed.batch_size", "0", "0", "at least 1"),
    ("tune.budget", "-1", "-1", "at least 0"),
    ("train.latent_dim", "0", "0", "at least 1"),
    ("train.beta", "-0.1", "-0.1", "at least 0"),
    ("train.beta", "much", '"much"', "a number"),
    ("train.epochs", "-1", "-1", "at least 1"),
    ("train.epochs", "1.0", "1.0", "a whole number"),
    ("train.learning_rate", ".inf", "Infinity", "a finite number"),
    ("train.learning_rate", "1e-3", '"1e-3"', "a number"),
    ("train.dropout", "1", "1", "less than 1"),
    ("train.patience", "null", "null", "a whole number"),
    ("train.device", "gpu", '"gpu"', "auto, cpu or cuda"),
    ("train.precision", "fp16", '"fp16"', "fp32 or bf16"),
    ("export.parity_questions", "0", "0", "at least 1"),
    ("export.max_difference", "0", "0", "more than 0"),
    ("index.dtype", "float99", '"float99"', "float32 or float16"),
    ("index.exact_below", "-1", "-1", "at least 0"),
    ("select.mode", "Lite", '"Lite"', "full, lite or auto"),
    ("select.precision", "8", "8", "int8 or fp32"),
    ("select.k", "-3", "-3", "at least 1"),
    ("evaluate.selectors", "[]", "[]", "a list that is not empty"),
    ("evaluate.selectors", "random", '"random"', "a list"),
    ("evaluate.selectors", "[1]", "1", "text"),
    ("evaluate.shots", "0", "0", "at least 1"),
    ("evaluate.answers", "1", "1", "true or false"),
    ("evaluate.bootstrap", "0", "0", "at least 1"),
    ("evaluate.confidence", "7", "7", "less than 1"),
    ("evaluate.confidence", "0", "0", "more than 0"),
    ("llm.api", "complete", '"complete"', "completions or chat"),
    ("llm.timeout", "0", "0", "more than 0"),
    ("llm.retries", "-1", "-1", "at least 0"),
    ("llm.concurrency", "0", "0", "at least 1"),
    ("llm.calls_per_minute", "0", "0", "at least 1 or null"),
    ("llm.max_calls", "-1", "-1", "at least 0 or null"),
    ("llm.max_cost", ".nan", "NaN", "a finite number or null"),
    ("llm.max_cost", "-2", "-2", "at least 0 or null"),
    ("llm.price_input", "-1", "-1", "at least 0"),
    ("register.experiment", "''", '""', "text that is not empty"),
]


def write(folder: Path, key: str, value: object) -> Path:
    """A complete params.yaml with one value changed (...: without the key)."""
    tree = copy.deepcopy(DEFAULTS)
    *path, leaf = key.split(".")
    node: dict[str, Any] = tree
    for name in path:
        node = node[name]
    if value is ...:
        del node[leaf]
    else:
        node[leaf] = value
    (folder / "params.yaml").write_text(yaml.safe_dump(tree))
    return folder / "params.yaml"


def sections(kind: type[Section] = Params, prefix: str = "") -> Iterator[tuple[str, pydantic.fields.FieldInfo]]:
    """Every setting that is no section, with its dotted key."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from sections(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def test_the_committed_file_holds_the_defaults() -> None:
    assert load_params(ROOT / "params.yaml") == Params()


def test_each_comment_of_the_committed_file_is_the_description_of_its_field() -> None:
    described = {key: field.description for key, field in sections()}
    assert all(described.values())
    section, comments = "", {}
    for line in (ROOT / "params.yaml").read_text().splitlines():
        name, _, rest = line.partition(":")
        if line.startswith("#"):
            continue
        if rest:
            comments[f"{section}.{name.strip()}" if line.startswith(" ") else name] = rest.partition("  # ")[2]
        else:
            section = name
    assert comments == described


def test_every_number_and_text_has_a_bound() -> None:
    for section, part in json.loads(schema())["$defs"].items():
        for name, field in part["properties"].items():
            for option in field.get("anyOf", [field]):
                if option["type"] in ("integer", "number"):
                    assert {"minimum", "exclusiveMinimum"} & set(option), f"{section}.{name}"
                if option["type"] == "string" and name != "api_key_env":  # checked by a function
                    assert {"minLength", "enum"} & set(option), f"{section}.{name}"


def test_the_schema_is_that_of_the_models_and_the_committed_file_fits_it() -> None:
    assert PATH.read_text() == schema(), "run python -m scripts.params_schema"
    text = (ROOT / "params.yaml").read_text()
    assert text.startswith(f"# yaml-language-server: $schema={PATH.name}\n")
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    tree = yaml.safe_load(text)
    validator.validate(tree)
    for section, name, value in (("train", "betta", 1), ("index", "dtype", "float99"), ("select", "k", 0)):
        assert list(validator.iter_errors({**tree, section: {**tree[section], name: value}})), name
    assert list(validator.iter_errors({key: value for key, value in tree.items() if key != "seed"}))


@pytest.mark.parametrize(("key", "text", "shown", "allowed"), REFUSED)
def test_a_setting_out_of_bounds_is_refused_in_a_file_and_as_an_override(
    tmp_path: Path, key: str, text: str, shown: str, allowed: str
) -> None:
    path = write(tmp_path, key, yaml.safe_load(text))
    message = rf": {re.escape(key)}(\.\w+)?: expected {re.escape(allowed)}, got {re.escape(shown)}($|; )"
    with pytest.raises(ParamsError, match="^--set" + message):
        default_params([f"{key}={text}"])
    with pytest.raises(ParamsError, match="^params" + message):
        default_params({key: yaml.safe_load(text)})
    with pytest.raises(ParamsError, match="^" + re.escape(str(path)) + message):
        load_params(path)


def test_the_refused_settings_are_of_every_section() -> None:
    assert {key.partition(".")[0] for key, *_ in REFUSED} == set(DEFAULTS)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.betta=1", "train.betta: unknown key; did you mean train.beta?"),
        ("trian.beta=1", "trian: unknown key; did you mean train?"),
        ("epochs=3", "epochs: unknown key; did you mean train.epochs?"),
        ("batch_size=3", "batch_size: unknown key; did you mean embed.batch_size or train.batch_size?"),
        ("index.zzz=3", "index.zzz: unknown key; known: dtype, exact_below"),
        ("nothing.here=1", "nothing: unknown key; known: seed, engine, ingest, "),
        ("select.mode=Lite", 'got "Lite"; did you mean lite?'),
        ("index.dtype=float99", 'got "float99"; did you mean float32?'),
        ("train.learning_rate=1e-3", "YAML reads 1e-3 as text: write 0.001 or 1.0e-3"),
        ("train=1", "train: expected a section with keys, got 1"),
        ("train.beta.x=1", 'train.beta: expected a number, got {"x": 1}'),
        ("train.beta", "--set train.beta: expected section.key=value"),
        ("train.beta=[", "--set train.beta: the text after = is not a YAML value"),
    ],
)
def test_a_mistaken_override_is_refused_with_a_hint(override: str, message: str) -> None:
    with pytest.raises(ParamsError, match=re.escape(message)) as caught:
        default_params([override])
    assert "\n" not in str(caught.value)


def test_all_errors_of_a_file_are_shown_up_to_three_lines(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    for wrong, lines in (
        ({"k": 0, "mode": "x"}, 2),
        ({"k": 0, "mode": "x", "z": 1}, 3),
        ({"k": 0, "mode": "x", "z": 1, "y": 2}, 3),
    ):
        path.write_text(yaml.safe_dump(DEFAULTS | {"select": DEFAULTS["select"] | wrong}))
        with pytest.raises(ParamsError) as caught:
            load_params(path)
        found = str(caught.value).splitlines()
        assert len(found) == lines
        assert all(line.startswith(f"{path}: ") for line in found)
    assert found[-1] == f"{path}: 2 more errors"


def test_a_missing_key_is_named_with_its_default(tmp_path: Path) -> None:
    path = write(tmp_path, "train.beta", ...)
    with pytest.raises(ParamsError, match=rf"{path}: train\.beta: missing; add it \(default 0\.1\)"):
        load_params(path)
    with pytest.raises(ParamsError, match=r"index: missing; .*exact_below"):
        load_params(write(tmp_path, "index", ...))


@pytest.mark.parametrize("text", ["", "7", "[1]", "train"])
def test_a_file_without_sections_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match="expected a section with keys"):
        load_params(tmp_path / "params.yaml")


def test_a_missing_or_broken_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="no such file"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [")
    with pytest.raises(ParamsError, match="not YAML"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("llm.base_url", f"https://me:{KEY}@host/v1"),
        ("llm.base_url", KEY),
        ("llm.base_url", [KEY]),
        ("llm.api_key_env", KEY),
        ("llm.api_key_env", [KEY]),
        ("llm", KEY),
        ("llm.api_key", KEY),
    ],
)
def test_what_may_be_a_secret_is_not_repeated(tmp_path: Path, key: str, value: object) -> None:
    path, leaf = write(tmp_path, key, value), key.partition(".")[2]
    attempts = [
        lambda: load_params(path),
        lambda: default_params({key: value}),
        lambda: default_params([f"{key}={json.dumps(value)}"]),
        lambda: Params().llm.changed(**{leaf: value}) if leaf else Params().changed(llm=value),
    ]
    for attempt in attempts:
        with pytest.raises(ParamsError, match=re.escape(key)) as caught:
            attempt()
        assert KEY not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_section_made_directly_does_not_repeat_a_secret_either() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        LlmParams(api_key_env=KEY)
    assert KEY not in str(caught.value)
    assert KEY not in repr(default_params({"llm.api_key_env": KEY.replace("-", "_")}))


def test_overrides_replace_defaults_and_nothing_else() -> None:
    params = default_params(["train.beta=0.3", "ingest.path=null", "seed=3", "ingest.columns.question=task"])
    assert (params.train.beta, params.ingest.path, params.seed) == (0.3, None, 3)
    assert params.ingest.columns == {"question": "task"}
    assert params.embed == Params().embed


def test_overrides_as_a_mapping_are_nested_or_dotted() -> None:
    nested = default_params({"train": {"beta": 0.3, "epochs": 5}, "seed": 3})
    assert nested == default_params({"train.beta": 0.3, "train.epochs": 5, "seed": 3})
    assert nested == default_params({"train.beta": 0.3, "train": {"epochs": 5}, "seed": 3})
    assert nested.train == TrainParams(beta=0.3, epochs=5)
    assert default_params({}) == default_params() == Params()
    with pytest.raises(ParamsError, match=r"params: train\.beta: train already has a value"):
        default_params({"train": 1, "train.beta": 1})


def test_a_whole_number_is_accepted_as_a_number_and_a_list_as_a_tuple() -> None:
    params = default_params({"train.beta": 1, "evaluate.selectors": ["random", "lars"], "evaluate.limit": None})
    assert (params.train.beta, params.evaluate.selectors) == (1.0, ("random", "lars"))
    assert isinstance(params.train.beta, float)
    assert default_params(["evaluate.selectors=[random, lars]"]).evaluate.selectors == ("random", "lars")


def test_a_changed_copy_is_validated_and_the_original_stays() -> None:
    params = Params()
    changed = params.changed(seed=3, train={"epochs": 5}, select=params.select.changed(k=2))
    assert (changed.seed, changed.train.epochs, changed.select.k) == (3, 5, 2)
    assert changed.train.changed(epochs=params.train.epochs) == params.train
    assert params == Params()
    with pytest.raises(ParamsError, match=r"params: train\.epochs: expected at least 1, got -1"):
        params.train.changed(epochs=-1)
    with pytest.raises(ParamsError, match=r"params: train\.epoch: unknown key; did you mean train\.epochs\?"):
        params.train.changed(epoch=1)
    with pytest.raises(ParamsError, match=r"params: select\.k: expected at least 1, got 0"):
        params.changed(select={"k": 0})
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        params.seed = 1


def test_plain_values_are_those_of_yaml() -> None:
    params = default_params({"ingest.columns": {"question": "q"}})
    tree = params.to_dict()
    assert tree["evaluate"]["selectors"] == list(params.evaluate.selectors)
    assert Params.build(yaml.safe_load(yaml.safe_dump(tree)), "x", complete=True) == params
    assert not any(isinstance(value, float) and math.isnan(value) for value in tree["llm"].values())


def test_the_text_of_a_section_is_the_same_for_the_same_settings() -> None:
    assert repr(TrainParams(epochs=3, beta=1)) == repr(default_params(["train.beta=1.0", "train.epochs=3"]).train)

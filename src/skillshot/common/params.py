"""`params.yaml` as frozen, typed sections; what is unknown, missing or of another type is refused.

Each field's comment gives its unit or reason. The defaults here serve `skillshot fit`, which has no
`params.yaml`; a test holds the committed file equal to them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from skillshot.common.errors import ParamsError
from skillshot.common.typed import build

SELECTORS = ("zero-shot", "random", "question", "lars", "skillshot", "oracle")


def _within(section: Any, low: float, high: float, *names: str) -> None:
    for name in names:
        value = getattr(section, name)
        if value is not None and not low <= value <= high:
            raise ParamsError(f"{type(section).__name__.lower()}.{name}: {value} is not within {low} to {high}")


def _among(section: Any, name: str, *choices: str) -> None:
    value = getattr(section, name)
    if value not in choices:
        raise ParamsError(f"{type(section).__name__.lower()}.{name}: {value!r} is none of {', '.join(choices)}")


@dataclass(frozen=True)
class IngestParams:
    """Where examples come from and how queries are held out."""

    source: str = "storyskills"  # storyskills | gsm_symbolic | file | hub
    size: int = 2000  # records drawn from an embedded source, before the split
    holdout: float = 0.15  # share of groups held out as queries where no query file is given
    path: str | None = None  # file source: the bank (jsonl, jsonl.gz, parquet, csv, or a folder)
    queries: str | None = None  # file source: the evaluation queries, otherwise held out
    name: str | None = None  # hub source: data set name
    config: str | None = None  # hub source: configuration
    split: str = "train"  # hub source: split that becomes the bank
    queries_split: str | None = None  # hub source: split that becomes the queries
    columns: dict[str, str] = field(default_factory=dict)  # our field -> the source's column (a.b: nested; "": drop it)
    near_duplicates: float = 0.9  # Jaccard of masked word 3-grams that makes two questions a group (0: off)
    limit: int | None = None  # read no more than this many records (None: all)

    def __post_init__(self) -> None:
        _within(self, 0, 1, "holdout", "near_duplicates")
        _within(self, 1, 10**9, "size", "limit")


@dataclass(frozen=True)
class CorruptionParams:
    """Damage done to a bank on purpose, to measure robustness. All zero: none."""

    wrong_rationales: float = 0.0  # share of rationales exchanged with another record's
    missing_steps: float = 0.0  # share of rationales that lose half of their steps
    keep: int | None = None  # keep only this many examples (None: all)
    skew: float = 0.0  # Zipf exponent that thins the bank by rationale opening (0: none)

    def __post_init__(self) -> None:
        _within(self, 0, 1, "wrong_rationales", "missing_steps")
        _within(self, 0, 10, "skew")
        _within(self, 1, 10**9, "keep")


@dataclass(frozen=True)
class ValidateParams:
    """What is refused and what is quarantined."""

    max_quarantined: float = 0.25  # share of bad rows above which the whole bank is refused
    max_question_chars: int = 8000  # longer rows are quarantined
    max_rationale_chars: int = 16000  # longer rows are quarantined
    min_bank: int = 20  # a smaller bank cannot be learned from

    def __post_init__(self) -> None:
        _within(self, 0, 1, "max_quarantined")
        _within(self, 1, 10**9, "max_question_chars", "max_rationale_chars", "min_bank")


@dataclass(frozen=True)
class EmbedParams:
    """The frozen sentence encoder."""

    model: str = "minilm"  # the packaged all-MiniLM-L6-v2, or any sentence-transformers name or path
    batch_size: int = 64  # texts per forward pass, sorted by length


@dataclass(frozen=True)
class TrainParams:
    """The conditional VAE and its policy."""

    latent_dim: int = 128  # width of the skill latent z
    structure_dim: int = 128  # width of the closed-form head: principal parts of the rationales' skeletons
    ridge: float = 0.3  # its penalty, in mean squared lengths of a question's features; 0.1 to 0.5 are alike
    hidden: int = 256  # units per hidden layer
    layers: int = 2  # hidden layers of each network
    beta: float = 0.1  # weight of the KL term; 1 collapses on MiniLM embeddings
    epochs: int = 200  # at most; early stopping usually ends sooner
    steps: int = 1500  # at most: a bank of 10,000 then trains as long as one of 2,000
    batch_size: int = 256  # examples per step
    learning_rate: float = 1e-3  # peak of the one-cycle schedule
    weight_decay: float = 0.01  # AdamW
    dropout: float = 0.2  # on hidden layers: 1,000 examples overfit quickly
    holdout: float = 0.1  # share of the bank that early stopping watches
    patience: int = 20  # epochs without improvement before stopping
    min_gap: float = 0.005  # relative shuffled-z gap below which the latent has collapsed
    device: str = "auto"  # auto | cpu | cuda
    precision: str = "fp32"  # fp32 | bf16 (for a GPU; a CPU without matrix units is slower with it)

    def __post_init__(self) -> None:
        _among(self, "device", "auto", "cpu", "cuda")
        _among(self, "precision", "fp32", "bf16")


@dataclass(frozen=True)
class ExportParams:
    """From torch to ONNX."""

    parity_questions: int = 200  # bank questions on which both must choose the same demonstrations
    max_difference: float = 1e-4  # largest absolute difference of a latent that passes


@dataclass(frozen=True)
class IndexParams:
    """The bundle."""

    dtype: str = "float32"  # of the stored vectors: float32 | float16
    exact_below: int = (
        100_000  # demonstrations up to which every one is scored (2 ms there); more need the extra `large`
    )


@dataclass(frozen=True)
class SelectParams:
    """Selection at run time."""

    mode: str = "full"  # full (text encoder) | lite (no transformer) | auto
    precision: str = "int8"  # of the text encoder: int8 (twice as fast) | fp32 (torch's own numbers)
    near_tie: float = 0.02  # cosine: among demonstrations this close to the best, the least alike are chosen (0: none)
    k: int = 4  # demonstrations per question

    def __post_init__(self) -> None:
        _within(self, 0, 2, "near_tie")


@dataclass(frozen=True)
class EvaluateParams:
    """Evaluation on an LLM."""

    selectors: tuple[str, ...] = SELECTORS  # rows of the table; zero-shot shows what demonstrations add
    label: str | None = "skill"  # field of bank and queries that names the skill, for alignment (null: none)
    shots: int = 4  # demonstrations per prompt
    limit: int | None = 15  # queries, drawn with the seed (None: all)
    answers: bool = True  # also let the LLM write answers (accuracy); NLL alone is quicker
    max_tokens: int = 80  # of a written answer
    skill_knn_bank: int | None = None  # Skill-KNN describes only so many examples: each is a call (None: all)
    bootstrap: int = 2000  # resamples of a paired interval
    confidence: float = 0.95  # of an interval


@dataclass(frozen=True)
class LlmParams:
    """The language model that is prompted."""

    base_url: str | None = None  # None: the embedded model; otherwise any OpenAI-compatible endpoint
    model: str = "smollm2-135m"  # name of the embedded model, or the endpoint's model
    api: str = "completions"  # completions (raw text; vLLM, llama.cpp, Ollama) | chat (hosted chat models)
    precision: str = "fp32"  # embedded model: fp32 | bf16 (2.4 times faster on a CPU that multiplies it, see docs)
    ignore_end: bool = False  # also send ignore_eos (vLLM, llama.cpp): chat models end a raw prompt at once
    timeout: float = 60.0  # seconds per call
    retries: int = 4  # with exponential backoff and jitter
    concurrency: int = 4  # calls under way at once, endpoints only
    calls_per_minute: int | None = None  # rate limit, endpoints only (None: none)
    api_key_env: str = "OPENAI_API_KEY"  # the variable that holds the key; never the key itself
    max_calls: int | None = None  # budget of one run, endpoints only: calls sent, retries counted (None: no bound)
    max_tokens: int | None = None  # budget of one run: prompt and written tokens (None: no bound)
    max_cost: float | None = None  # budget of one run in the currency of the prices (None: no bound)
    price_input: float = 0.0  # price of a million prompt tokens
    price_output: float = 0.0  # price of a million written tokens

    def __post_init__(self) -> None:
        # params are printed, recorded and published; these messages do not repeat what may be a secret
        if "@" in (self.base_url or "").partition("//")[2].partition("/")[0]:
            raise ParamsError(
                "llm.base_url: holds a user or password; put the key into the variable llm.api_key_env names"
            )
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.api_key_env):
            raise ParamsError(
                "llm.api_key_env: expected the name of a variable, such as OPENAI_API_KEY, never a key itself"
            )


@dataclass(frozen=True)
class RegisterParams:
    """Publishing to MLflow."""

    experiment: str = "skillshot"  # MLflow experiment
    model_name: str = "skillshot-selector"  # registered model


@dataclass(frozen=True)
class Params:
    """All of `params.yaml`."""

    seed: int = 7
    ingest: IngestParams = IngestParams()
    corruption: CorruptionParams = CorruptionParams()
    validate: ValidateParams = ValidateParams()
    embed: EmbedParams = EmbedParams()
    train: TrainParams = TrainParams()
    export: ExportParams = ExportParams()
    index: IndexParams = IndexParams()
    select: SelectParams = SelectParams()
    evaluate: EvaluateParams = EvaluateParams()
    llm: LlmParams = LlmParams()
    register: RegisterParams = RegisterParams()


def load_params(path: str | PathLike[str] = "params.yaml") -> Params:
    """Read a whole `params.yaml`: every key must be there, none may be unknown.

    Raises:
        ParamsError: naming the key, its value and what was expected.
    """
    import yaml

    path = Path(path)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: no such file; run in the repository's root") from error
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return build(Params, tree, str(path), complete=True)


def default_params(overrides: Sequence[str] = ()) -> Params:
    """The defaults, with `section.key=value` overrides (values are YAML).

    Raises:
        ParamsError: an override is malformed, unknown or of the wrong type.
    """
    import yaml

    tree: dict[str, Any] = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ParamsError(f"--set {override}: expected section.key=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ParamsError(f"--set {override}: {text!r} is not a YAML value") from error
        *sections, leaf = key.strip().split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
            if not isinstance(node, dict):
                raise ParamsError(f"--set {override}: {section} was already given a value")
        node[leaf] = value
    return build(Params, tree, "--set", complete=False)

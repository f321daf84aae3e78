"""`params.yaml` as frozen sections; an unknown key, a missing key or a value out of bounds is refused.

Descriptions, with unit or reason, are also in `params.yaml` and `params.schema.json`. `skillshot fit` has defaults.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from skillshot.common.errors import ParamsError
from skillshot.common.overrides import override_tree
from skillshot.common.section import Amount, Count, Part, PathText, Positive, Section, Share, Text, Whole


class IngestParams(Section):
    """Where examples come from and how queries are held out."""

    source: Literal["storyskills", "gsm_symbolic", "file", "hub"] = Field(
        default="storyskills", description="storyskills | gsm_symbolic | file | hub"
    )
    size: Count = Field(default=2000, description="records drawn from an embedded source, before the split")
    holdout: Part = Field(default=0.15, description="share of groups held out as queries where no query file is given")
    path: PathText | None = Field(
        default=None, description="file source: the bank (jsonl, jsonl.gz, parquet, csv, or a folder)"
    )
    queries: PathText | None = Field(default=None, description="file source: the evaluation queries (null: held out)")
    name: PathText | None = Field(default=None, description="hub source: data set name")
    config: Text | None = Field(default=None, description="hub source: configuration")
    split: Text = Field(default="train", description="hub source: split that becomes the bank")
    queries_split: Text | None = Field(
        default=None, description="hub source: split that becomes the queries (null: held out)"
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description='our field -> the source\'s column (a.b: nested; "": drop it)'
    )
    near_duplicates: Share = Field(
        default=0.9, description="Jaccard of masked word 3-grams that puts two questions into one group (0: off)"
    )
    limit: Count | None = Field(default=None, description="read no more than this many records (null: all)")


class CorruptionParams(Section):
    """Corruption of a bank on purpose, to measure robustness. All zero: none."""

    wrong_rationales: Share = Field(default=0.0, description="share of rationales exchanged with another record's")
    missing_steps: Share = Field(default=0.0, description="share of rationales that lose half of their steps")
    keep: Count | None = Field(default=None, description="keep only this many examples (null: all)")
    skew: Annotated[float, Field(ge=0, le=10)] = Field(
        default=0.0, description="Zipf exponent that thins the bank by rationale opening (0: none)"
    )


class ValidateParams(Section):
    """What is refused and what is quarantined."""

    max_quarantined: Share = Field(default=0.25, description="share of bad rows above which the whole bank is refused")
    max_question_chars: Count = Field(default=8000, description="characters; longer rows are quarantined")
    max_rationale_chars: Count = Field(default=16000, description="characters; longer rows are quarantined")
    min_bank: Count = Field(default=20, description="examples; a smaller bank is accepted with a warning")
    answer_in_rationale: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="whether a rationale must reach its answer; auto: the rule is dropped where it hits over a tenth",
    )


class EmbedParams(Section):
    """The frozen sentence encoder."""

    model: PathText = Field(
        default="minilm",
        description="the packaged all-MiniLM-L6-v2 (minilm), or any sentence-transformers name or path",
    )
    batch_size: Count = Field(default=64, description="texts per forward pass, sorted by length")


class TrainParams(Section):
    """The conditional VAE and its policy."""

    rows: Count = Field(default=20_000, description="that are learned from; of a larger bank a random sample")
    latent_dim: Count = Field(default=128, description="width of the skill latent z")
    structure_dim: Count = Field(
        default=128, description="width of the closed-form head: principal components of the rationales' skeletons"
    )
    prior: PathText = Field(
        default="packaged",
        description="what a bank without rationales leans on: none | packaged | folder of scripts/learn_prior.py",
    )
    hidden: Count = Field(default=256, description="units per hidden layer")
    layers: Count = Field(default=2, description="hidden layers of each network")
    beta: Amount = Field(default=0.1, description="weight of the KL term; 1 collapses on MiniLM embeddings")
    epochs: Count = Field(default=200, description="at most; early stopping usually ends sooner")
    steps: Count = Field(default=1500, description="at most: a bank of 10,000 then trains as long as one of 2,000")
    batch_size: Count = Field(default=256, description="examples per step")
    learning_rate: Positive = Field(default=1e-3, description="peak of the one-cycle schedule")
    weight_decay: Amount = Field(default=0.01, description="AdamW")
    dropout: Part = Field(default=0.2, description="on hidden layers: 1,000 examples overfit quickly")
    holdout: Part = Field(default=0.1, description="share of the bank that early stopping watches")
    patience: Count = Field(default=20, description="epochs without improvement before stopping")
    min_gap: Annotated[float, Field(ge=-1)] = Field(
        default=0.005, description="relative shuffled-z gap below which the latent has collapsed (-1: not checked)"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto | cpu | cuda")
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32", description="fp32 | bf16 (for a GPU; a CPU without matrix units is slower with it)"
    )


class ExportParams(Section):
    """From torch to ONNX."""

    parity_questions: Count = Field(
        default=64, description="bank questions on which both must choose the same demonstrations"
    )
    max_difference: Positive = Field(default=1e-4, description="largest absolute difference of a latent that passes")


class IndexParams(Section):
    """The bundle."""

    dtype: Literal["float32", "float16"] = Field(
        default="float32", description="of the stored vectors: float32 | float16"
    )
    exact_below: Whole = Field(
        default=100_000,
        description="demonstrations up to which every one is scored (2 ms there); more need the extra `large`",
    )


class SelectParams(Section):
    """Selection at run time."""

    mode: Literal["full", "lite", "auto"] = Field(default="full", description="full (encoder) | lite (words) | auto")
    precision: Literal["int8", "fp32"] = Field(
        default="int8", description="of the text encoder: int8 (twice as fast) | fp32 (torch's own numbers)"
    )
    k: Count = Field(default=4, description="demonstrations per question")


class TuneParams(Section):
    """Weights of the score from an LLM's feedback."""

    budget: Whole = Field(default=0, description="answers of the LLM, about six for a question (0: not tuned)")


class EvaluateParams(Section):
    """Evaluation on an LLM."""

    selectors: tuple[Text, ...] = Field(
        default=("zero-shot", "random", "question", "skillshot", "oracle"),
        strict=False,  # YAML has lists
        min_length=1,
        description="rows of the table; zero-shot shows what demonstrations add",
    )
    label: Text | None = Field(
        default="skill", description="field of bank and queries that names the skill, for alignment (null: none)"
    )
    shots: Count = Field(default=4, description="demonstrations per prompt")
    limit: Count | None = Field(default=100, description="queries, drawn with the seed (null: all)")
    answers: bool = Field(default=True, description="also let the LLM write answers (accuracy); NLL alone is quicker")
    max_tokens: Count = Field(default=80, description="tokens of a written answer")
    skill_knn_bank: Count | None = Field(
        default=None, description="Skill-KNN describes only so many examples: each is a call (null: all)"
    )
    bootstrap: Count = Field(default=2000, description="resamples of a paired interval")
    confidence: Annotated[float, Field(gt=0, lt=1)] = Field(default=0.95, description="of an interval")


class LlmParams(Section, hide_input_in_errors=True):
    """The language model that is prompted."""

    base_url: Text | None = Field(
        default=None, repr=False, description="null: the embedded model; otherwise any OpenAI-compatible endpoint"
    )
    model: Text = Field(default="smollm2-135m", description="name of the embedded model, or the endpoint's model")
    api: Literal["completions", "chat"] = Field(
        default="completions", description="completions (raw text; vLLM, llama.cpp, Ollama) | chat (hosted chat models)"
    )
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32",
        description="embedded model: fp32 | bf16 (2.4 times faster on a CPU that multiplies it, see docs)",
    )
    ignore_end: bool = Field(
        default=False, description="also send ignore_eos (vLLM, llama.cpp): chat models end a raw prompt at once"
    )
    timeout: Positive = Field(default=60.0, description="seconds per call")
    retries: Annotated[int, Field(ge=0, le=100)] = Field(default=4, description="with exponential backoff and jitter")
    concurrency: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=4, description="calls in progress at once, endpoints only"
    )
    calls_per_minute: Count | None = Field(default=None, description="rate limit, endpoints only (null: none)")
    api_key_env: str = Field(
        default="OPENAI_API_KEY", repr=False, description="the variable that holds the key; never the key itself"
    )
    max_calls: Whole | None = Field(
        default=None, description="budget of one run, endpoints only: calls sent, retries counted (null: no bound)"
    )
    max_tokens: Whole | None = Field(
        default=None, description="budget of one run: prompt and written tokens (null: no bound)"
    )
    max_cost: Amount | None = Field(
        default=None, description="budget of one run in the currency of the prices (null: no bound)"
    )
    price_input: Amount = Field(default=0.0, description="price of a million prompt tokens")
    price_output: Amount = Field(default=0.0, description="price of a million written tokens")

    # params are printed, recorded and published: these messages do not repeat what may be a secret
    @field_validator("base_url")
    @classmethod
    def _no_password(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/]", value):
            raise ValueError(
                "expected an address that starts with http:// or https://, such as http://127.0.0.1:8000/v1"
            )
        if "@" in (value or "").partition("//")[2].partition("/")[0]:
            raise ValueError("holds a user or password; put the key into the variable that llm.api_key_env names")
        return value

    @field_validator("api_key_env")
    @classmethod
    def _no_key(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            raise ValueError("expected the name of a variable, such as OPENAI_API_KEY, never a key itself")
        return value


class RegisterParams(Section):
    """Publishing to MLflow."""

    experiment: Text = Field(default="skillshot", description="MLflow experiment")
    model_name: Text = Field(default="skillshot-selector", description="registered model")


with warnings.catch_warnings():  # two fields hide methods of pydantic of the same name, which are not used
    warnings.filterwarnings("ignore", message='Field name "(validate|register)"')

    class Params(Section):
        """All of `params.yaml`."""

        seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(default=7, description="of every draw")
        engine: Literal["local", "ray"] = Field(
            default="local",
            description="cores that share the parts of a large bank: local (here) | ray (a cluster's)",
        )
        ingest: IngestParams = IngestParams()
        corruption: CorruptionParams = CorruptionParams()
        validate: ValidateParams = ValidateParams()  # type: ignore[assignment]
        embed: EmbedParams = EmbedParams()
        train: TrainParams = TrainParams()
        export: ExportParams = ExportParams()
        index: IndexParams = IndexParams()
        select: SelectParams = SelectParams()
        tune: TuneParams = TuneParams()
        evaluate: EvaluateParams = EvaluateParams()
        llm: LlmParams = LlmParams()
        register: RegisterParams = RegisterParams()


def load_params(path: str | PathLike[str] = "params.yaml") -> Params:
    """Read a whole `params.yaml`: every key must be there, none may be unknown.

    Raises:
        ParamsError: naming the key, its value and what is allowed.
    """
    import yaml

    path = Path(path)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: no such file; run in the repository's root") from error
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return Params.build(tree, str(path), complete=True)


def default_params(overrides: Iterable[str] | Mapping[str, Any] = ()) -> Params:
    """The defaults, with overrides.

    Args:
        overrides: texts `section.key=value`, whose values are YAML; or a mapping of plain values, such as
            `{"train.beta": 0.3}`, `{"train": {"beta": 0.3}}` or `{"seed": 3}`.

    Raises:
        ParamsError: an override is malformed, unknown or not allowed.
    """
    place = "params" if isinstance(overrides, Mapping) else "--set"
    return Params().updated(override_tree(overrides, place), place)

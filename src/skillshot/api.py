"""From examples to a bundle: `skillshot.fit`, and what the command `skillshot fit` calls."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from skillshot.common.environment import PRIVATE, configure
from skillshot.common.errors import InputError
from skillshot.common.extras import MissingPackageError, extras_named
from skillshot.common.io import read_jsonl, write_jsonl
from skillshot.common.tables import counted

if TYPE_CHECKING:
    from skillshot.bank.examples import Examples
    from skillshot.bundle.teacher import Teacher
    from skillshot.common.arrays import Floats
    from skillshot.common.params import Params
    from skillshot.common.record import Record
    from skillshot.model.arrays import FittedLite
    from skillshot.model.fitted import Fitted
    from skillshot.runtime.selector import Selector

# what was fitted, the bank's vectors, and the part of the report that is about an encoder
Parts: TypeAlias = "tuple[Fitted | FittedLite, dict[str, Floats], dict[str, Any]]"

logger = logging.getLogger("skillshot")
WORST = 20  # suspicious rows that a report shows
UNREACHED = "answer_not_in_rationale"  # reason of a quarantined row


def fit(
    examples: Examples,
    *,
    k: int | None = None,
    columns: Mapping[str, str] | None = None,
    params: Params | Mapping[str, Any] | None = None,
    out: str | os.PathLike[str] | None = None,
    baselines: bool = False,
    lite: bool = False,
) -> Selector:
    """Learn the reasoning skills of solved examples; returns a Selector that picks demonstrations among them.

    Every row is accepted or quarantined. Both are logged by the logger "skillshot"; `Selector.report` holds the counts,
    the reasons and, under `quarantine`, the refused rows with place and reason.

    Args:
        examples: a path, an iterable of mappings, a pandas DataFrame or a `datasets.Dataset`, with `question`, `answer`
            and, where there is one, `rationale`, in a published form such as GSM8K's, or with `columns`.
        k: demonstrations per question unless `select` gets another number (None: `select.k` of the params, 4).
        columns: field -> the examples' column, e.g. {"rationale": "solution"}.
        params: settings of `params.yaml`, as {"train.epochs": 50} or {"train": {"epochs": 50}}.
        out: bundle folder; an old bundle there is replaced at the end. None: a temporary folder, which is removed with
            the last Selector that reads it; `Selector.save_pretrained` keeps a copy.
        baselines: also fit `ridge` and `lars`, for `skillshot score` and `evaluate`.
        lite: without a text encoder and without torch, by words alone. Needs no extra; the bundle has mode "lite" only.

    Raises:
        InputError: the examples cannot be read or learned from, or `out` exists and is no bundle; `baselines` with
            `lite`.
        ParamsError: a setting is unknown or not allowed.
        MissingPackageError: the packages of the extra `train` are not installed; `lite` needs none of them.
    """
    configure(PRIVATE)
    with extras_named():
        from skillshot.common.params import Params, default_params

        settings = params if isinstance(params, Params) else default_params(dict(params or {}))
        given: dict[str, Any] = {"select": {} if k is None else {"k": k}}
        given["ingest"] = {"columns": dict(columns)} if columns else {}
        settings = settings.updated(given, "fit")
        return _opened(lambda folder: fit_bundle(examples, folder, settings, baselines=baselines, lite=lite), out)


def adapt(
    bundle: str | os.PathLike[str],
    examples: Examples,
    *,
    columns: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Selector:
    """Move a fitted bundle to another bank: its examples teach along with the new ones, which alone are selected.

    Encoder, seed and load options are the bundle's, so a bundle of `fit(lite=True)` is adapted without torch.

    Args:
        bundle: folder of a bundle whose rationales or answers show the reasoning; it stays as it is.
        examples, columns, out: as in `fit`; a single example is enough.
        params: settings that are to differ from the bundle's and from the defaults, as in `fit`.

    Raises:
        InputError: the bundle's bank shows no reasoning; or as `fit`.
        BundleError: the bundle is damaged.
        ParamsError, MissingPackageError: as `fit`.
    """
    configure(PRIVATE)
    given = dict(params or {}) | ({"ingest": {"columns": dict(columns)}} if columns else {})
    with extras_named():
        return _opened(lambda folder: adapt_bundle(bundle, examples, folder, given), out)


def _opened(make: Callable[[Path], dict[str, Any]], out: str | os.PathLike[str] | None) -> Selector:
    """The bundle that `make` writes into a folder, with its report."""
    from skillshot.runtime.selector import Selector
    from skillshot.runtime.temporary import TemporaryFolder

    home = TemporaryFolder()  # kept by the Selector, where that reads it
    folder = home.path / "bundle" if out is None else Path(out)
    report = make(folder)
    selector = Selector.load(folder)
    refused = _file_of(folder, "quarantine")
    selector.report |= report | {"quarantine": list(read_jsonl(refused)) if refused.exists() else []}
    return selector


def adapt_bundle(
    bundle: str | os.PathLike[str], bank: Examples, out: Path, overrides: Iterable[str] | Mapping[str, Any] = ()
) -> dict[str, Any]:
    """What `adapt` does; `overrides` as in `default_params`. The report's `adapted`: the teacher, None if left out."""
    from skillshot.bundle.teacher import Teacher
    from skillshot.common.overrides import override_tree
    from skillshot.common.params import default_params

    teacher = Teacher.of(bundle)
    place = "params" if isinstance(overrides, Mapping) else "--set"
    params = default_params(teacher.settings()).updated(override_tree(overrides, place), place)
    return {"adapted": None} | fit_bundle(bank, out, params, lite=teacher.lite, teacher=teacher)


def fit_bundle(
    bank: Examples,
    out: Path,
    params: Params,
    *,
    baselines: bool = False,
    lite: bool = False,
    teacher: Teacher | None = None,
) -> dict[str, Any]:
    """Check, embed, train, export and index a bank; with `lite` nothing is embedded, and there is no torch.

    With a `teacher` its demonstrations are learned from too, where that makes the choice better; they are not in
    the bundle.
    Refused rows are also written to `<out>.quarantine.jsonl`, rows held for wrong to `<out>.suspicious.jsonl`.

    Returns:
        the bundle's folder, counts of rows, reasons of refusals, cut texts, source of structure, verdict, diagnostics
        and parity. With `lite`, what is about an encoder is empty or None.

    Raises:
        InputError: the bank cannot be read, `out` exists and is no bundle, or `baselines` is given with `lite`; or the
            engine `ray` has no cluster.
    """
    from skillshot.common.parts import engine

    with engine(params.engine):
        return _fit_bundle(bank, out, params, baselines, lite, teacher)


def _fit_bundle(
    bank: Examples, out: Path, params: Params, baselines: bool, lite: bool, teacher: Teacher | None
) -> dict[str, Any]:
    from skillshot.bank.checks import warn_of_size
    from skillshot.bank.examples import log_quarantined, name_of
    from skillshot.bank.load import load_bank
    from skillshot.bundle.build import build_bundle, bundle_facts
    from skillshot.common.space import writing
    from skillshot.common.spool import Spool
    from skillshot.runtime.layout import NO_MODEL
    from skillshot.training.teachers import teach

    if lite and baselines:
        raise InputError("the baselines ridge and lars read sentence embeddings; leave out baselines, or lite")
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]) and not (out / "manifest.json").exists():
        raise InputError(f"{out}: exists and is not a bundle; choose another folder")
    loaded = load_bank(bank, columns=params.ingest.columns, limit=params.ingest.limit, validate=params.validate)
    records: Sequence[Record] = loaded.records
    log_quarantined(loaded)
    taught = teacher.records if teacher else []
    if teacher and not teach([*taught, *records], len(taught), params.train, params.seed):
        logger.warning(
            "the examples of %s do not make the choice on this bank better: fitted without them", teacher.name
        )
        teacher, taught = None, []
    warn_of_size(len(taught) + len(records), params.validate, name_of(bank))
    if lite:
        params = params.updated({"select": {"mode": "lite"}, "embed": {"model": NO_MODEL}}, "fit")
    with tempfile.TemporaryDirectory() as work, writing(Path(work)):
        model = Path(work) / "model"
        model.mkdir()
        if not taught and len(records) > params.train.rows:  # most are read only now and then
            records = Spool(Path(work) / "bank.jsonl", records)
            loaded.records.clear()
        rows = [*taught, *records] if taught else records
        if lite:
            fitted, vectors, encoded = _by_words(rows, len(taught), params, model)
        else:
            fitted, vectors, encoded = _by_encoder(rows, len(taught), params, model, out, baselines)
        source = str(fitted.verdict["source"])
        facts = bundle_facts(
            records, params, fitted.diagnostics, fitted.score, fitted.verdict, source, fitted.rationale_view.prior
        ) | ({"adapted": teacher.facts()} if teacher else {})
        logger.info("index: %s demonstrations into %s", f"{len(records):,}", out)
        build_bundle(model, vectors, records, facts, params, out)
    refused = [row.to_dict() for row in loaded.quarantined]
    suspicious = [*fitted.suspicious, *_unreached(refused)]
    for kind, found in (("quarantine", refused), ("suspicious", suspicious)):
        _file_of(out, kind).unlink(missing_ok=True)  # of an earlier bundle
        if found:
            write_jsonl(_file_of(out, kind), found)
    if fitted.suspicious:
        count = counted(len(fitted.suspicious), "row")
        logger.warning(
            "%s held for wrong, chosen last, nothing is learned from them: %s", count, _file_of(out, "suspicious")
        )
    return (
        {
            "bundle": str(out),
            "accepted": len(records),
            "quarantined": len(loaded.quarantined),
            "reasons": dict(Counter(row.kind for row in loaded.quarantined)),
            "structure": source,
            "suspicious": {"rows": len(fitted.suspicious), "worst": fitted.suspicious[:WORST]},
            "verdict": dict(fitted.verdict),
            "diagnostics": dict(fitted.diagnostics),
        }
        | encoded
        | ({"adapted": facts["adapted"]} if teacher else {})
    )


def _by_words(records: Sequence[Record], teachers: int, params: Params, model: Path) -> Parts:
    from skillshot.export.lite import export_lite
    from skillshot.training.lite import fit_lite

    fitted = fit_lite(records, params.train.structure_dim, params.seed, params.train.prior, teachers, params.train.rows)
    logger.info("export: the networks as ONNX")
    export_lite(fitted, model)
    return fitted, {"skillshot": fitted.vectors}, {"truncated": {}, "encoder_knowledge": None, "parity": {}}


def _by_encoder(
    records: Sequence[Record], teachers: int, params: Params, model: Path, out: Path, baselines: bool
) -> Parts:
    from skillshot.common.space import need
    from skillshot.common.structure import structure_of

    try:
        with extras_named():
            from skillshot.encoder import embed_texts, fastest
            from skillshot.export.model import export_model
            from skillshot.export.ready import ready_encoder
            from skillshot.features.knowledge import known_language
            from skillshot.training.fit import fit
    except MissingPackageError as error:
        raise MissingPackageError(f"{error}\nor fit without a text encoder: lite=True, --lite") from error
    ready = ready_encoder(params.embed.model)
    size = sum(path.stat().st_size for path in ready.files)
    for place, times in ((Path(tempfile.gettempdir()), 1), (out, 2)):  # before minutes of work; once more when built
        need(place, times * size, "fitting")  # copied, and then once more, perhaps to the same disk
    batch = params.embed.batch_size
    texts = [record.text for record in records]
    encoder = fastest(params.embed.model, ready.encoder)
    known = known_language(ready.encoder(), texts)
    question = embed_texts(encoder, texts, batch, "questions")
    rationale = embed_texts(encoder, structure_of(records).texts, batch, "rationales") if baselines else None
    embedded_sides = {"questions": question} | ({"rationales": rationale} if rationale is not None else {})
    for side, embedded in embedded_sides.items():
        if embedded.truncated:
            logger.warning(
                "embed: %d %s exceed the encoder's %d tokens and were cut", embedded.truncated, side, embedded.window
            )
    explained = rationale.vectors if rationale is not None else None
    fitted = fit(records, question.vectors, explained, params.train, params.seed, teachers=teachers)
    logger.info("export: the networks as ONNX, checked against torch")
    for path in ready.files:
        shutil.copyfile(path, model / path.name)
    parity = export_model(fitted, texts, question.vectors, params, model, ready.max_difference)
    vectors = dict(fitted.vectors) | {"question": question.vectors[teachers:]}
    if rationale is not None:
        vectors["rationale"] = rationale.vectors
    truncated = {side: embedded.truncated for side, embedded in embedded_sides.items()}
    return fitted, vectors, {"truncated": truncated, "encoder_knowledge": round(known, 3), "parity": parity}


def _file_of(bundle: Path, kind: str) -> Path:
    return bundle.with_name(f"{bundle.name}.{kind}.jsonl")


def _unreached(refused: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows in quarantine because their rationale does not reach their answer: held for wrong, and not in the bundle."""
    for row in refused:
        if row["reason"] == UNREACHED and isinstance(row["row"], dict):
            yield {"id": row["row"].get("id"), "score": 1.0, "reason": f"{UNREACHED}: in quarantine"}

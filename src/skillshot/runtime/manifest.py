"""The bundle's manifest: format version, facts, and SHA-256 per file, checked on load."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skillshot.common import schema
from skillshot.common.errors import BundleError
from skillshot.common.io import sha256_file, write_json
from skillshot.runtime.layout import BANK_NAME, CARD, ENCODERS, MODES, NAMES, resolve
from skillshot.runtime.scoring import check_score

# 2: n-grams by their codes; 3: the buckets are stored in the view; 4: rows of four blocks, see `score`; 5: confidence
# is a logistic curve
FORMAT = 5
NAME = "manifest.json"
LONGEST = 2**20  # bytes of the largest manifest that is read; a real one has 6,000

_WORD = schema.text(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,300}", "a text of at most 300 printable characters")
_DIGEST = schema.text(r"[0-9a-f]{64}", "64 hexadecimal digits")
_NAME = schema.text(NAMES, f"{CARD}, model/FILE, model/VIEW/FILE or bank-N/FILE")
_PAIR = schema.fields(dict.fromkeys(("diff", "low", "high"), schema.number()))
_VERDICT = schema.fields(
    {
        **dict.fromkeys(("verdict", "source", "mode", "advice"), _WORD),
        **dict.fromkeys(("skillshot", "question", "bm25"), schema.number()),
        "pairs": schema.fields({"skillshot-question": _PAIR, "skillshot-bm25": _PAIR}),
        "rows": schema.whole(0),
        "trust": schema.number(0, 1),
    }
)
_TUNED = schema.fields(
    {
        "llm": _WORD,
        **dict.fromkeys(("calls", "queries", "k"), schema.whole(0)),
        "mode": schema.one_of("full", "lite"),
        **dict.fromkeys(("before", "after"), schema.listed(schema.number(0, 1), 4)),
        "nll": _PAIR,
    }
)
_ADAPTED = schema.fields({"bundle": _WORD, "records": schema.whole(1), "sha256": _DIGEST, "structure": _WORD})
_SLIM = schema.fields({"questions": schema.whole(1), **dict.fromkeys(("same", "overlap"), schema.number(0, 1))})
_FACTS = schema.fields(
    {
        "bank": schema.text(BANK_NAME, "bank-N"),
        "data": schema.fields({"records": schema.whole(1), "sha256": _DIGEST}),
        "embed": schema.fields({"model": _WORD}),
        "files": schema.mapped(_NAME, schema.fields({"bytes": schema.whole(0), "sha256": _DIGEST})),
        "index": schema.fields({"exact_below": schema.whole(0)}),
        "metrics": schema.mapped(_WORD, schema.number()),
        "score": check_score,
        "structure": schema.one_of("rationale", "answer", "label", "question"),
        "seed": schema.whole(-(2**63)),
        "select": schema.fields(
            {
                "mode": schema.one_of(*MODES),
                "precision": schema.one_of(*ENCODERS),
            },
            {"k": schema.whole(1)},  # since 0.1.0
        ),
        "skillshot": _WORD,
    },
    {
        "verdict": _VERDICT,
        "tuned": _TUNED,
        "adapted": _ADAPTED,
        "slim": _SLIM,
        "prior": schema.listed(schema.fields(dict.fromkeys(("name", "origin", "licence"), _WORD)), 1000),
    },
)


def describe(folder: Path, parts: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file among or under `parts`, by path relative to `folder`."""
    found = [path for part in parts for path in ([part] if part.is_file() else part.rglob("*")) if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
        for path in sorted(found)
        if path.name != NAME
    }


def write_manifest(folder: str | os.PathLike[str], facts: Mapping[str, Any]) -> None:
    """Write the manifest of every file under `folder`, together with `facts` (model, bank, metrics)."""
    folder = Path(folder)
    write_json(folder / NAME, {"format": FORMAT, "files": describe(folder, [folder]), **facts})


def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the manifest.

    Raises:
        BundleError: there is no bundle, its manifest is unreadable or not what a manifest is, or it has another format
            version.
    """
    path = Path(folder) / NAME
    if not path.exists():
        what = f"not a bundle, {NAME} is missing" if Path(folder).is_dir() else "no such folder"
        raise BundleError(f"{folder}: {what}; make a bundle with `skillshot fit BANK --out {folder}`")
    manifest: dict[str, Any] = schema.read_document(path, _known_format(Path(folder)), LONGEST)
    other = next((name for name in manifest["files"] if _bank_of(name) not in (None, manifest["bank"])), None)
    if other is not None:
        raise BundleError(f"{path}: lists {other}, but its bank is {manifest['bank']}; copy the bundle again")
    return manifest


def _known_format(folder: Path) -> schema.Check:
    """Check the format first: a bundle of another format need not have the keys of this one."""

    def check(manifest: Any, place: str) -> None:
        schema.fields({"format": schema.whole(0)})(manifest, place)
        version = manifest["format"]
        if version != FORMAT:
            from skillshot.common.version import __version__

            writer = manifest.get("skillshot", "of an unknown version")
            _WORD(writer, "skillshot")
            raise BundleError(
                f"{folder / NAME}: bundle format {version}, written by skillshot {writer}, which reads it; this "
                f"skillshot {__version__} reads format {FORMAT}\n"
                f"fit the bank again: skillshot fit BANK --out {folder}"
                + (f", or install skillshot {writer} or later" if version > FORMAT else "")
            )
        _FACTS(manifest, place)

    return check


def _bank_of(name: str) -> str | None:
    first = name.split("/")[0]
    return first if first.startswith("bank-") else None


def check_files(
    folder: str | os.PathLike[str],
    manifest: Mapping[str, Any],
    names: set[str] | None = None,
    digests: bool = True,
) -> None:
    """Compare files with the manifest, first by size, then by SHA-256.

    Args:
        names: only these files (None: all but the model card, which is made from the manifest); a name that is not in
            the manifest is an error.
        digests: False compares only sizes.

    Raises:
        BundleError: a file is missing, truncated, changed, or no regular file; names the first one.
    """
    folder = Path(folder)
    files: dict[str, dict[str, Any]] = manifest["files"]
    for name in sorted(names if names is not None else files.keys() - {CARD}):
        path, wanted = resolve(folder, name), files.get(name)
        if wanted is None:
            raise BundleError(f"{folder / NAME}: does not list {name}; export the bundle again")
        if not path.exists():
            raise BundleError(f"{path}: missing; copy the whole bundle again")
        with schema.door(path):
            size = schema.regular(path)
        if size != wanted["bytes"]:
            raise BundleError(f"{path}: {size} bytes instead of {wanted['bytes']}; copy the bundle again")
        with schema.door(path):
            digest = sha256_file(path) if digests else wanted["sha256"]
        if digest != wanted["sha256"]:
            raise BundleError(f"{path}: its sha256 differs from the manifest's; copy the bundle again")

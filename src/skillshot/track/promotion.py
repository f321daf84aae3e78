"""Promotion: the alias `champion` moves only through the gate, and each move is written to the history first.

The gate judges numbers that this command recomputed (`recompute`), not committed ones. No tag of a
version counts as evidence.

The history is an MLflow run with one param per move (`move.0001`, ...). A param cannot be changed, and of two writers
of the same param only one wins. So of two concurrent promotions only one succeeds, and no move can be removed silently.
The alias follows the history.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from skillshot.common.errors import TrackError
from skillshot.common.io import sha256_text
from skillshot.track.baseline import BANK, BASELINE, FIRST, digest_of, recorded
from skillshot.track.gate import compare
from skillshot.track.overview import CHALLENGER, CHAMPION, refresh
from skillshot.track.publish import COMMIT, COMPLETE, DIRTY
from skillshot.track.recompute import Recomputed, recompute, tag_of
from skillshot.track.rows import RECOMPUTED, GateRow
from skillshot.track.rules import parse_gates
from skillshot.track.snapshot import Snapshot, of_published
from skillshot.track.verify import SAME, verify

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore

LOG_KIND = "promotions"
GATE_TAG = "skillshot.gate"
RECOMPUTED_TAG = "skillshot.recomputed"  # who recomputed what, with digests; written for readers, never believed


@dataclass(frozen=True)
class Move:
    """One move of the alias. before: the champion until then, "" for none. id: distinguishes equal concurrent moves."""

    action: str  # promote | rollback
    version: str
    before: str
    by: str
    at: str  # UTC
    note: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])


@dataclass(frozen=True)
class Decision:
    """Result of an attempt. move: None where the gate failed or the version is already champion."""

    version: str
    before: str
    rows: tuple[GateRow, ...]
    move: Move | None

    @property
    def passed(self) -> bool:
        """Whether every check of the gate passes."""
        return all(row.passed for row in self.rows)


def promote(
    store: MlflowStore,
    root: Path,
    version: str = CHALLENGER,
    by: str = "",
    accept: Collection[str] = (),
    *,
    everything: bool = False,
    cached: bool = True,
    new_baseline: bool = False,
) -> Decision:
    """Make a version champion if its evaluation is recomputed and passes the gate against the current champion.

    Args:
        root: the repository that has the version's commit, its queries and the answer cache.
        version: its number or alias.
        accept: as in `gate.compare`.
        cached: take the language model's answers from the cache; otherwise request them again.
        everything: also run all stages of the version's commit again (`verify`), the language model included.
        new_baseline: whether another bank than the champion's is intended; its first baseline must be recorded.

    Raises:
        TrackError: the version is unknown, incomplete or from a dirty tree, cannot be recomputed here, or another
            process was faster.
    """
    moves = read_history(store)
    number = resolve(store, version)
    tags = _promotable(store, number)
    champion = store.aliases().get(CHAMPION, "")
    if champion == number:
        return Decision(number, champion, (), None)
    evidence = recompute(store, root, number, published(store, number), cached=cached)
    rows = evidence.rows + (tuple(_verified(root, tags.get(COMMIT, ""))) if everything else ())
    against = _of_same_bank(store, moves, champion, number)
    if evidence.texts:
        rows += tuple(compare_versions(store, against, number, accept, evidence, new_baseline))
    failed = [row for row in rows if not row.passed]
    verdict = "failed: " + ", ".join(f"{row.name} {row.status}" for row in failed) if failed else "passed"
    run, stamp = store.versions()[number].run_id, evidence.to_tag(by, now())
    store.tag_version(number, {GATE_TAG: verdict[:4000], "skillshot.gate.against": against or "nothing"})
    if failed:
        return Decision(number, champion, rows, None)
    store.set_tags(
        run,
        {
            RECOMPUTED_TAG: stamp,
            "skillshot.verified": str(everything).lower(),
            "skillshot.answers": "cache" if cached else "requested",
        },
    )
    notes = ([FIRST] if new_baseline else []) + ([f"accepted {', '.join(accept)}"] if accept else [])
    return Decision(
        number, champion, rows, _move(store, moves, Move("promote", number, champion, by, now(), "; ".join(notes)))
    )


def _promotable(store: MlflowStore, number: str) -> Mapping[str, str]:
    """Tags of the run of a version that may be promoted at all."""
    tags: Mapping[str, str] = store.client.get_run(store.versions()[number].run_id).data.tags
    if COMPLETE not in tags:
        raise TrackError(f"version {number} was not published completely\nrun `dvc repro register` at its commit")
    if tags.get(DIRTY) != "false":
        paths = tags.get("skillshot.dirty_paths", "unknown paths")[:200]
        raise TrackError(
            f"version {number} comes from a dirty tree and cannot be reproduced: {paths}\n"
            "commit, run `make run`, and promote the version that it publishes"
        )
    return tags


def _verified(root: Path, commit: str) -> Iterator[GateRow]:
    """One row per output of the pipeline, run again from scratch at the version's commit."""
    for row in verify(root, commit).checked:
        status = "same" if row.verdict == SAME else "tolerated" if row.passed else row.verdict
        yield GateRow(f"verify:{row.path or row.stage}", status, None, row.apart, row.tolerance, row.detail, RECOMPUTED)


def rollback(store: MlflowStore, by: str = "") -> Move:
    """Make the previous champion champion again.

    Raises:
        TrackError: there is no previous champion, its version was deleted, or another process moved the alias.
    """
    moves = read_history(store)
    reigns = stack(moves)
    champion = store.aliases().get(CHAMPION, "")
    if not reigns and not champion:
        raise TrackError("there is no champion yet\n`skillshot promote VERSION` makes one")
    if len(reigns) < 2:
        raise TrackError(f"no champion before version {champion or reigns[0]} to roll back to")
    if reigns[-1] != champion:
        raise TrackError(
            f"alias {CHAMPION} is at version {champion or 'none'}, the history ends with {reigns[-1]}: moved by hand?\n"
            "promote the wanted version instead"
        )
    if reigns[-2] not in store.versions():
        raise TrackError(
            f"version {reigns[-2]}, the previous champion, was deleted from the registry\npromote another version"
        )
    return _move(store, moves, Move("rollback", reigns[-2], champion, by, now()))


def compare_versions(
    store: MlflowStore,
    baseline: str,
    candidate: str,
    accept: Collection[str] = (),
    evidence: Recomputed | None = None,
    new_baseline: bool = False,
) -> list[GateRow]:
    """The gate between two versions, with the candidate's gates.yaml; without a baseline only the bounds apply.

    Args:
        evidence: recomputed reports of the candidate, which replace the published ones.

    Raises:
        TrackError: the candidate was published without rules, or the champion's reports are no longer those that its
            promotion recomputed.
    """
    current = published(store, candidate)
    if evidence:
        current = current.with_texts(evidence.texts, evidence.inputs)
    rules = current.read("gates.yaml")
    if rules is None:
        raise TrackError(f"version {candidate} was published without gates.yaml\npublish it again with gates.yaml")
    against = _champion(store, baseline) if baseline else Snapshot("nothing", lambda _: None)
    bank, then = digest_of(current, BANK), digest_of(against, BANK)
    known = bank in recorded(against) or bank in recorded(current)
    rows = compare(
        parse_gates(rules, f"gates.yaml of version {candidate}"), against, current, accept, new_baseline,
        f"skillshot promote {candidate}",
    )  # fmt: skip
    if new_baseline and then and not known:
        detail = f"no {FIRST} in {BASELINE}; run `skillshot gate --new-baseline`, commit it, and `dvc repro register`"
        rows.append(GateRow("bank", "baseline missing", then[:8], bank[:8] or None, detail=detail))
    return rows


def _of_same_bank(store: MlflowStore, moves: Collection[Move], champion: str, number: str) -> str:
    """The last champion with the candidate's bank, else the champion: an old bank cannot come back as a new one."""
    bank = digest_of(published(store, number), BANK)
    known = [version for version in reversed(stack(moves)) if version in store.versions()]
    found = (version for version in known if bank and digest_of(published(store, version), BANK) == bank)
    return next(found, champion)


def published(store: MlflowStore, number: str) -> Snapshot:
    """The files that were published with a version."""
    run = store.versions()[number].run_id
    return of_published(lambda path: store.read_artifact(run, path), f"version {number}")


def _champion(store: MlflowStore, number: str) -> Snapshot:
    snapshot = published(store, number)
    tags = store.client.get_run(store.versions()[number].run_id).data.tags
    for path, digest in tag_of(tags, RECOMPUTED_TAG).get("reports", {}).items():
        if sha256_text(snapshot.read(path) or "") != digest:
            raise TrackError(
                f"champion, version {number}: {path} is not what its promotion recomputed; it was edited since\n"
                "compare with `skillshot lineage champion` and restore the artifact, or roll back"
            )
    return snapshot


def read_history(store: MlflowStore) -> list[Move]:
    """All moves in order."""
    runs = list(store.find_runs(_mark(store)))
    found = {key: value for key, value in store.params(runs[-1]).items() if key.startswith("move.")} if runs else {}
    return [Move(**json.loads(found[key])) for key in sorted(found)]


def stack(moves: Collection[Move]) -> list[str]:
    """Champions up to the current one, oldest first: a promotion adds one, a rollback removes one."""
    reigns: list[str] = []
    for move in moves:
        if move.action == "rollback":
            reigns.pop()
        else:
            reigns.append(move.version)
    return reigns


def resolve(store: MlflowStore, version: str) -> str:
    """Number of a version given by number or alias.

    Raises:
        TrackError: there is no such version.
    """
    number = store.aliases().get(version, version)
    known = store.versions()
    if number not in known:
        raise TrackError(
            f"{store.model} has no version {version!r}; versions: {', '.join(sorted(known, key=int)) or 'none'}\n"
            "`make run` publishes one"
        )
    return number


def now() -> str:
    """The current time, UTC, in ISO 8601 to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _mark(store: MlflowStore) -> dict[str, str]:
    return {"skillshot.kind": LOG_KIND, "skillshot.model": store.model}


def _move(store: MlflowStore, moves: list[Move], move: Move) -> Move:
    """Write the move to the history after `moves`, then move the alias."""
    if not store.find_runs(_mark(store)):
        store.finish(store.create_run("promotions", _mark(store)))
    run = list(store.find_runs(_mark(store)))[-1]  # the oldest, so that all agree where two were created at once
    if not store.claim(run, f"move.{len(moves) + 1:04}", json.dumps(asdict(move), sort_keys=True)):
        other = read_history(store)[len(moves)]
        raise TrackError(
            f"{other.by or 'another process'} was faster: {other.action} to version {other.version} at {other.at}\n"
            "your command moved nothing; look at `skillshot lineage champion` and try again"
        )
    store.set_alias(CHAMPION, move.version)
    last = read_history(store)[-1]
    if last != move:  # another move came between the two calls: the alias follows the history
        store.set_alias(CHAMPION, last.version)
    store.tag_version(move.version, {"skillshot.champion_since": move.at, "skillshot.champion_by": move.by})
    if move.before in store.versions():
        store.tag_version(move.before, {"skillshot.champion_until": move.at})
    refresh(store)
    return move

"""What was changed between two published states: settings, data, code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.common.sinks import one_line
from skillshot.track.baseline import BANK, QUERIES, digest_of
from skillshot.track.snapshot import Snapshot
from skillshot.track.values import leaves

SOURCE = "src/skillshot/"
NAMED = 3  # changes that a run's name lists
_DATA = {BANK: "bank", QUERIES: "queries"}


@dataclass(frozen=True)
class Changes:
    """What differs. params: name -> value then and now. short: its name in a run's name. code: packages."""

    params: Mapping[str, tuple[str, str]]
    short: Mapping[str, str]
    data: tuple[str, ...]
    code: tuple[str, ...]

    def brief(self) -> str:
        """The changes in the words of a run's name, settings first."""
        found = [f"{self.short[name]} {_short(then)} → {_short(now)}" for name, (then, now) in self.params.items()]
        found += [f"other {name}" for name in self.data]
        if self.code:
            found.append(f"code of {', '.join(self.code[:NAMED])}{' ...' * (len(self.code) > NAMED)}")
        more = f", {len(found) - NAMED} more" if len(found) > NAMED else ""
        return ", ".join(found[:NAMED]) + more if found else "nothing changed"


def changes(then: Snapshot, now: Snapshot) -> Changes:
    """Compare two states by their `params.yaml` and `dvc.lock`; a setting that one of them lacks is no change."""
    before, after = _settings(then), _settings(now)
    code_before, code_after = _code(then), _code(now)
    params = {name: (before[name], after[name]) for name in after if name in before and before[name] != after[name]}
    last = Counter(name.rpartition(".")[2] for name in after)
    return Changes(
        params,
        {name: key if last[key := name.rpartition(".")[2]] == 1 else name for name in params},
        tuple(name for path, name in _DATA.items() if digest_of(then, path) != digest_of(now, path)),
        tuple(sorted(name for name in code_after if code_before.get(name, code_after[name]) != code_after[name])),
    )


def source_of(params: Mapping[str, str]) -> str:
    """Where the bank comes from, in one word, from the flat params of a run."""
    kind = params.get("ingest.source", "")
    given = {"file": params.get("ingest.path", ""), "hub": params.get("ingest.name", "")}.get(kind, "")
    return one_line(Path(given).stem if given else kind) or "bank"


def _settings(side: Snapshot) -> dict[str, str]:
    import yaml

    tree: Any = yaml.safe_load(side.read("params.yaml") or "") or {}
    return {name: str(value) for name, value in leaves(tree) if not name.startswith("register.")}


def _code(side: Snapshot) -> dict[str, str]:
    """Digests of the source that the stages read, by package."""
    deps = (dep for stage in side.stages.values() for dep in stage.get("deps", ()))
    return {
        dep["path"].removeprefix(SOURCE).removesuffix(".py"): dep.get("md5", "")
        for dep in deps
        if dep["path"].startswith(SOURCE)
    }


def _short(value: str) -> str:
    value = one_line(value)
    return value if len(value) <= 24 else f"{value[:21]}..."

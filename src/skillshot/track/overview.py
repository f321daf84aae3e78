"""The table of all versions: which one serves, which one is best, what each one changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from skillshot.common.sinks import markdown
from skillshot.track.describe import VERSION, within
from skillshot.track.headline import headline

if TYPE_CHECKING:
    from skillshot.track.mlflow_store import MlflowStore

REPORT = "reports/evaluate.json"
COMPARED_TAG = "compared"  # of a run: whether it is better than the champion of its time
CHAMPION, CHALLENGER = "champion", "challenger"
BEGINNING = "**Serving: "  # of the text, which is not written over one of a person
ROWS = 10  # newest versions in the table; the champion is always there


def refresh(store: MlflowStore) -> None:
    """Write the table into the descriptions of the registered model and of the experiment."""
    from skillshot.track.mlflow_show import describe_all

    describe_all(store, overview(store))


def overview(store: MlflowStore) -> str:
    """The table as Markdown, newest version first."""
    versions, aliases = store.versions(), store.aliases()
    serving, newest = aliases.get(CHAMPION, ""), sorted(versions, key=int, reverse=True)
    shown = [number for i, number in enumerate(newest) if i < ROWS or number == serving]
    runs = {number: store.client.get_run(versions[number].run_id) for number in shown if versions[number].run_id}
    # a run list shows the first paragraph alone
    first = f"{BEGINNING}{f'version {serving}' if serving else 'none yet'}** (alias {CHAMPION})."
    waiting = aliases.get(CHALLENGER, "")
    if waiting in runs and waiting != serving:
        verdict = runs[waiting].data.tags.get(COMPARED_TAG, "")
        first += f" Version {waiting} is the {CHALLENGER}" + f": {markdown(verdict)}" * bool(verdict) + "."
    parts = [first]
    rows = [_row(store, number, run, aliases) for number, run in runs.items()]
    head = "| version | alias | run | hit@k ↑ | NLL ↓ | NLL gain over question (95 % from) | accuracy ↑ | compared |"
    while rows:
        table = "\n".join([head, "|---" * 8 + "|", *rows])
        if len(within([*parts, table], VERSION)) > len(within(parts, VERSION)):
            return within([*parts, table], VERSION)
        rows.pop()
    return within(parts, VERSION)


def _row(store: MlflowStore, number: str, run: Any, aliases: Mapping[str, str]) -> str:
    found = run.data.metrics
    if "nll" not in found and "hit_at_k" not in found:  # published before these names
        text = store.read_artifact(run.info.run_id, REPORT)
        found = headline(json.loads(text)) if text else {}
    links = f"#/models/{store.model}/versions/{number}", f"#/experiments/{store.experiment_id}/runs/{run.info.run_id}"
    names = ", ".join(sorted(alias for alias, of in aliases.items() if of == number))
    return " | ".join(["", *_cells(number, names, links, run, found), ""]).strip()


def _cells(number: str, names: str, links: tuple[str, str], run: Any, found: Mapping[str, float]) -> Iterator[str]:
    yield f"[{number}]({links[0]})"
    yield f"**{names}**" if CHAMPION in names else names
    yield f"[{markdown(run.info.run_name or run.info.run_id[:8])}]({links[1]})"
    yield _number(found, "hit_at_k")
    yield _number(found, "nll")
    yield f"{_number(found, 'nll_gain', '+')} ({_number(found, 'nll_gain_low', '+')})" if "nll_gain" in found else "-"
    yield _number(found, "accuracy")
    yield markdown(run.data.tags.get(COMPARED_TAG, "")) or "-"


def _number(found: Mapping[str, float], name: str, sign: str = "") -> str:
    return f"{found[name]:{sign}.3f}" if name in found else "-"

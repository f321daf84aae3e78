"""Stage register: publish the pipeline's state to MLflow, once.

It runs each time (`always_changed`), so that a state whose stages all came from DVC's cache is published too; a state
that is already published stays as it is. `reports/register.json` holds no run id: it is the same in every clone, and is
rewritten only when the state changes.
"""

from __future__ import annotations

import logging
from pathlib import Path

from skillshot.common.environment import repository
from skillshot.common.io import read_json, write_json
from skillshot.common.params import load_params
from skillshot.common.tables import overview, undecided
from skillshot.stages._runner import stage_main
from skillshot.track.machine import describe
from skillshot.track.publish import publish

logger = logging.getLogger("skillshot")


@stage_main
def main() -> None:
    """Publish the repository that the working folder is in."""
    root = repository()
    published = publish(root, load_params(root / "params.yaml"))
    state, report = published.state, published.report
    verb = "published" if published.new else "already published"
    dirt = f"; dirty tree ({len(state.dirty)} paths): no alias, cannot be promoted" if state.dirty else ""
    show_results(root / "reports" / "evaluate.json")
    logger.info("register: %s as version %s, run %s%s", verb, published.version, published.run, dirt)
    logger.info('next: skillshot select models/selector "your question" -k 4 --prompt')
    logger.info("all runs: make ui, then http://127.0.0.1:5000%s", published.page)
    path = root / "reports" / "register.json"
    if path.exists() and read_json(path).get("pipeline") == state.digest:
        return  # the report names the machine that made the state, not one that found it published
    counts = {"params": len(report.params), "metrics": len(report.metrics), "selectors": len(report.selectors)}
    write_json(path, {"pipeline": state.digest, **counts, "machine": describe()})


def show_results(path: Path) -> None:
    """Log the table of the evaluation, and what its number of queries leaves open."""
    if not path.exists():
        return
    report = read_json(path)
    if "selectors" not in report:
        return
    scored = report.get("alignment", {}).get("queries")
    on = f"{report['queries']} queries with {report['llm']}" + (f", hit@k on {scored} queries" if scored else "")
    logger.info("\n%s\n%s", on, overview(report))
    for sentence in undecided(report):
        logger.info(sentence)


if __name__ == "__main__":
    main()

"""Stage register: publish the pipeline's state to MLflow, once.

It runs each time (`always_changed`), so that a state whose stages all came from DVC's cache is published
as well; when there is nothing to do it only looks. `reports/register.json` tells no run id: it is the same
in every clone, and is rewritten only when the state is another one.
"""

from __future__ import annotations

import sys

from skillshot.common.environment import repository
from skillshot.common.io import read_json, write_json
from skillshot.common.params import load_params
from skillshot.stages._runner import stage_main
from skillshot.track.machine import describe
from skillshot.track.publish import publish


@stage_main
def main() -> None:
    """Publish the repository that the working folder is in."""
    root = repository()
    published = publish(root, load_params(root / "params.yaml"))
    state, story = published.state, published.story
    verb = "published" if published.new else "already published"
    dirt = f"; dirty tree ({len(state.dirty)} paths): cannot be promoted" if state.dirty else ""
    print(f"register: {verb} as version {published.version}, run {published.run}{dirt}", file=sys.stderr)
    path = root / "reports" / "register.json"
    if path.exists() and read_json(path).get("pipeline") == state.digest:
        return  # the machine named there is the one that made the state, not the one that looked at it
    counts = {"params": len(story.params), "metrics": len(story.metrics), "selectors": len(story.selectors)}
    write_json(path, {"pipeline": state.digest, **counts, "machine": describe()})


if __name__ == "__main__":
    main()

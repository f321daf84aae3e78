"""Stage source: digests of the files that params.yaml names -> reports/source.json; looks each time."""

from __future__ import annotations

from skillshot.common.inputs import input_digests
from skillshot.common.io import write_json
from skillshot.common.params import load_params
from skillshot.stages._runner import stage_main


@stage_main
def main() -> None:
    """Run in the repository's root."""
    write_json("reports/source.json", input_digests(load_params()))


if __name__ == "__main__":
    main()

"""`make bench`: the benchmarks, one after another, on a bundle of the embedded bank.

    python -m benchmarks              # all that take minutes
    python -m benchmarks select llm   # only these

Each script has its own --help; what is left out says why.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
REPORTS = FOLDER.parent / "reports"
BUNDLE = FOLDER.parent / "models/selector"

# name -> arguments; a large bank, an hour of hammering or a bank of your own is one command away (--help)
SCRIPTS: dict[str, Callable[[Path], list[str]]] = {
    "select": lambda bundle: [
        str(bundle),
        "--sizes",
        "1000",
        "10000",
        "--out",
        str(REPORTS / "bench_select_quick.json"),
    ],
    "hammer": lambda bundle: [str(bundle), "--seconds", "20"],
    "serve": lambda bundle: [str(bundle), "--seconds", "10"],
    "train": lambda _: ["--examples", "2000"],
    "ingest": lambda _: ["--rows", "50000"],
    "llm": lambda _: [],
}
NEEDS_BUNDLE = {"select", "hammer", "serve"}


def main() -> int:
    """Run the benchmarks and list at the end those that failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCRIPTS)}; none: all")
    parser.add_argument("--bundle", type=Path, default=BUNDLE, help="default: the pipeline's")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in SCRIPTS]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}: choose from {', '.join(SCRIPTS)}")
    failed = []
    for name in options.names or SCRIPTS:
        if name in NEEDS_BUNDLE and not (options.bundle / "manifest.json").is_file():
            print(f"-- {name}: left out, no bundle at {options.bundle}; run `make run` first", flush=True)
            continue
        with tempfile.TemporaryDirectory() as work:
            arguments = SCRIPTS[name](options.bundle)
            if name in ("hammer", "serve"):  # their committed reports are of a longer run
                arguments += ["--out", str(Path(work) / f"{name}.json")]
            print(f"-- {name}: {' '.join(arguments)}", flush=True)
            start = time.perf_counter()
            code = subprocess.run([sys.executable, str(FOLDER / f"bench_{name}.py"), *arguments]).returncode
        print(f"-- {name}: {'ok' if code == 0 else f'exit {code}'}, {time.perf_counter() - start:.0f} s", flush=True)
        failed += [name] * (code != 0)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Training time and peak memory for 10,000 examples without the embedding; the aim is 90 s on 2 idle cores.

python benchmarks/bench_train.py [--examples 10000] [--words 50]
"""

from __future__ import annotations

import argparse
import json
import resource
import time

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402

from skillshot.common.record import Record  # noqa: E402


def made_up(examples: int, words: int, seed: int = 0) -> list[Record]:
    """Questions and rationales of `words` words with frequencies as in natural text (Zipf)."""
    rng = np.random.default_rng(seed)
    vocabulary = np.array(["".join(chr(97 + c) for c in rng.integers(0, 26, rng.integers(2, 9))) for _ in range(8000)])
    share = 1 / np.arange(1, 8001)

    def text() -> str:
        return " ".join(rng.choice(vocabulary, words, p=share / share.sum()))

    return [Record(str(i), text(), f"{text()}\n{i} + 3 = {i + 3}\n{text()}") for i in range(examples)]


def main() -> None:
    """Print one JSON document."""
    from skillshot.common.params import TrainParams
    from skillshot.training.fit import fit

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--words", type=int, default=50)
    options = parser.parse_args()
    bank = made_up(options.examples, options.words)
    rows = np.random.default_rng(1).standard_normal((2, len(bank), 384)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    wall, cpu = time.perf_counter(), time.process_time()
    fitted = fit(bank, rows[0], rows[1], TrainParams(min_gap=-1.0), 7)
    report = {
        "examples": len(bank),
        "seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "n_grams": len(fitted.question_view.keys),
    }
    texts = [record.text for record in bank[:300]]
    started = time.perf_counter()
    for question in texts:
        fitted.question_view.transform([question])
    report["lexical_ms_per_question"] = round((time.perf_counter() - started) / len(texts) * 1000, 3)
    print(json.dumps(report))


if __name__ == "__main__":
    main()

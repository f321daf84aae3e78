"""What the engine `ray` costs, and from which size it pays: reports/scale.json.

    python benchmarks/bench_scale.py [--texts 1024] [--rows 3000]

Real work on one thread: CPU of embedding, and of encoding and judging, with the bytes that go to a worker and back.
Then, on a cluster of this machine, wall seconds of Ray's own: connecting, the first part, a part that does nothing, a
MiB to a worker and back. Two workers against one: parts that sleep need no core, so their ratio is that of free cores.
"""

from __future__ import annotations

import argparse
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402

from skillshot.common.arrays import Floats  # noqa: E402
from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.parts import engine, mapped  # noqa: E402

REPEAT = 3
MIB = 2**20


def seconds(work: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> float:
    """Of one call."""
    began = clock()
    work()
    return clock() - began


def shared(function: Callable[[Any], Any], parts: list[Any]) -> list[Any]:
    """Results of the parts, by the engine of the context."""
    return list(mapped(function, parts, "bench", len(parts)))


def of_ray() -> dict[str, Any]:
    """Wall seconds on a cluster of this machine, first of one worker, then of two."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 1024 * MIB})
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        began = time.monotonic()
        with engine("ray"):
            own = {"connect": time.monotonic() - began, "first_part": seconds(lambda: shared(abs, [0, 0]))}
            own |= own_costs()
        slept = {1: sleeping()}
        cluster.add_node(num_cpus=1)
        slept[2] = sleeping()
    finally:
        cluster.shutdown()
    ratios = {
        part: {"one": slept[1][part], "two": slept[2][part], "ratio": round(slept[1][part] / slept[2][part], 3)}
        for part in slept[1]
    }
    return {"own_costs_s": {name: round(value, 5) for name, value in own.items()}, "sleeping_parts_s": ratios}


def own_costs() -> dict[str, float]:
    """Of a part that does nothing, and of a MiB to a worker and back."""
    rows = 32 * MIB // 4
    block = np.zeros(rows, np.float32)

    def back(_: int) -> Floats:
        return np.zeros(rows, np.float32)

    return {
        "empty_part": median(seconds(lambda: shared(abs, [0] * 100)) / 100 for _ in range(REPEAT)),
        "mib_there": median(seconds(lambda: shared(len, [block] * 4)) / 128 for _ in range(REPEAT)),
        "mib_back": median(seconds(lambda: shared(back, [0] * 4)) / 128 for _ in range(REPEAT)),
    }


def sleeping() -> dict[str, float]:
    """Seconds of parts that sleep, by their number and length."""

    def slept(sleep: float, count: int) -> float:
        whole = [seconds(lambda: shared(lambda _: time.sleep(sleep), [0] * count)) for _ in range(3)]
        return round(median(whole), 2)

    with engine("ray"):
        shared(lambda _: time.sleep(2), [0] * 4)  # workers start
        return {f"{count} of {sleep} s": slept(sleep, count) for sleep, count in ((1.0, 16), (0.1, 40))}


def real_work(texts: int, rows: int) -> dict[str, Any]:
    """CPU of one thread and bytes to and fro, for a text that is embedded and a row that is encoded and judged."""
    from skillshot import encoder
    from skillshot.common import parts
    from skillshot.common.params import TrainParams
    from skillshot.export.ready import ready_encoder
    from skillshot.sources.storyskills.draw import generate
    from skillshot.training import lessons
    from skillshot.training.fit import fit

    bank = generate(rows, 7)
    questions = [record.text for record in bank]
    ready = ready_encoder("minilm").encoder()
    distinct = sorted(set(questions), key=len)
    distinct = distinct[:: max(1, len(distinct) // texts)][:texts]
    embedded = seconds(lambda: encoder._part(ready, 64, distinct), time.process_time)
    found: dict[str, Any] = {
        "embed": {
            "texts": len(distinct),
            "characters": round(float(np.mean([len(text) for text in distinct])), 1),
            "ms": round(embedded / len(distinct) * 1000, 3),
            "bytes_there": round(len(pickle.dumps(distinct)) / len(distinct)),
            "bytes_back": ready.dimension * 4,
            "bytes_held": len(pickle.dumps(ready)),
        }
    }
    spent: dict[str, list[float]] = {}
    moved: dict[str, list[int]] = {}

    def watched(function: Callable[[Any], Any], of: Any, count: int) -> Any:
        for part in of:
            began = time.process_time()
            result = function(part)
            spent.setdefault(str(count), []).append(time.process_time() - began)
            moved.setdefault(str(count), []).extend([len(pickle.dumps(part)), len(pickle.dumps(result))])
            yield result

    lessons.PART = 1000
    vectors = np.random.default_rng(0).standard_normal((rows, ready.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    token = parts._share.set(watched)
    try:
        fit(bank, vectors, None, TrainParams(rows=500, epochs=1, min_gap=-1.0), 7)
    finally:
        parts._share.reset(token)
    (key,) = spent  # contradictions of so few rows are one part
    found["encode"] = {
        "rows": rows,
        "ms": round(sum(spent[key]) / rows * 1000, 3),
        "bytes_there": round(sum(moved[key][::2]) / rows),
        "bytes_back": round(sum(moved[key][1::2]) / rows),
    }
    return found


def main() -> None:
    """Write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=1024)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--report", type=Path, default=Path("reports/scale.json"))
    args = parser.parse_args()
    report = {"real_work": real_work(args.texts, args.rows)}
    write_json(args.report, report)
    write_json(args.report, report | of_ray())


if __name__ == "__main__":
    main()

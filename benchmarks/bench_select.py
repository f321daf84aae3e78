"""Selection on a CPU: latency by bank size, mode and threads, compared with common alternatives and lower bounds.

    python benchmarks/bench_select.py BUNDLE                      # sizes 1e3 to 1e6: 15 minutes, 6 GB of disk
    python benchmarks/bench_select.py BUNDLE --sizes 1000 10000   # two minutes

Compare CPU times, because on a busy machine wall times are mostly waiting. All peers answer the same questions in turn
(in blocks of 20), in one process, on one thread, over one bank of 10,000. Banks are grown from the bundle's bank
(benchmarks/select_bank.py). Questions are its texts with one word changed, so that none is its own demonstration.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from skillshot.common.environment import configure

configure()

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
from select_bank import grow, grown_bundle  # noqa: E402

from skillshot.common.io import write_json  # noqa: E402
from skillshot.common.params import IndexParams  # noqa: E402
from skillshot.runtime.bench import quantiles, time_each  # noqa: E402

BLOCK = 20  # questions that a peer answers before the next peer
PEERS = 10_000  # demonstrations in the bank that all peers search
MODES = (("full", "int8"), ("full", "fp32"), ("lite", "int8"))


def child(arguments: list[str]) -> dict[str, Any]:
    """Measure in a separate process, so that import, load and memory are only those of the measured code."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def questions_of(bundle: Path, count: int) -> list[str]:
    """Texts of the bank with their last word changed."""
    from skillshot.runtime.manifest import read_manifest
    from skillshot.runtime.store import BankStore

    store = BankStore(bundle / read_manifest(bundle)["bank"])
    rows = np.random.default_rng(1).permutation(len(store))[:count]
    return [store[int(row)].question.rstrip("?") + " altogether?" for row in rows]


def one(bundle: Path, mode: str, precision: str, threads: int, count: int) -> dict[str, Any]:
    """Cold start, memory and speed of one mode."""
    import psutil

    from skillshot import Selector

    process, loads = psutil.Process(), {}
    for check in (True, False):
        start, spent = time.perf_counter(), time.process_time()
        selector = Selector.load(bundle, mode, threads=threads, precision=precision, check=check)
        loads["checked" if check else "unchecked"] = {
            "wall_s": time.perf_counter() - start,
            "cpu_s": time.process_time() - spent,
        }
    asked = questions_of(bundle, count)
    start = time.perf_counter()
    selector.select(asked[0])
    first = time.perf_counter() - start
    wall, cpu = time_each(selector.select, asked)
    spent = time.process_time()
    selector.select_batch(asked)
    batch = time.process_time() - spent
    vectors = selector._bundle.policy(asked)
    _, search = time_each(lambda vector: selector._bundle.folder_bank.index.search(vector, 5), list(vectors))
    memory = process.memory_info().rss
    result = {
        "cold": cold(bundle, mode, precision), "load": loads, "first_ms": first * 1e3,
        "wall_ms": quantiles(wall), "cpu_ms": quantiles(cpu),
        "batch_per_cpu_second": count / batch, "search_cpu_ms": quantiles(search), "resident_mb": memory / 1e6,
        "words": float(np.mean([len(text.split()) for text in asked])),
    }  # fmt: skip
    if type(selector._bundle.folder_bank.index).__name__ != "ExactIndex":
        from skillshot.runtime.index import ExactIndex

        exact = ExactIndex(selector.vectors)
        _, slow = time_each(lambda vector: exact.search(vector, 5), list(vectors[:30]))
        result |= {"exact_search_cpu_ms": quantiles(slow), "recall@4": selector.recall(asked, 4)}
    return result


COLD = """
import time
start = time.perf_counter()
from skillshot import Selector
done = time.perf_counter()
selector = Selector.load({bundle!r}, {mode!r}, precision={precision!r})
loaded = time.perf_counter()
selector.select("How many apples are left?")
print(done - start, loaded - done, time.perf_counter() - loaded, time.process_time())
"""


def cold(bundle: Path, mode: str, precision: str) -> dict[str, float]:
    """A process that imports, loads (digests checked) and answers one question: seconds of each, CPU seconds of all."""
    code = COLD.format(bundle=str(bundle), mode=mode, precision=precision)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return dict(zip(("import_s", "load_s", "first_s", "cpu_s"), map(float, done.stdout.split()), strict=True))


def peers(bundle: Path, source: Path, count: int) -> dict[str, Any]:
    """CPU and wall time of every peer, which take turns."""
    import torch
    from select_sides import sides

    torch.set_num_threads(1)
    rows = np.load(next(source.glob("bank-*")) / "question.npy", allow_pickle=False).astype(np.float32)
    embeddings = rows[:PEERS] if len(rows) >= PEERS else np.vstack([rows, grow(rows, PEERS - len(rows))])
    found, missing = sides(bundle, embeddings)
    asked, cpu, wall = questions_of(bundle, count), {n: [] for n in found}, {n: [] for n in found}
    for start in range(0, count, BLOCK):  # in turns of blocks, so that each peer has warm caches, as in a server
        for name, side in found.items():
            walls, cpus = time_each(side, asked[start : start + BLOCK])
            wall[name] += walls
            cpu[name] += cpus
    table = {name: {"cpu_ms": quantiles(cpu[name]), "wall_ms": quantiles(wall[name])} for name in found}
    p50 = {name: row["cpu_ms"]["p50"] for name, row in table.items()}
    ratios = {
        "full int8, times faster than sentence-transformers": p50["sentence-transformers"] / p50["full, int8"],
        "full fp32, times faster than sentence-transformers": p50["sentence-transformers"] / p50["full, fp32"],
        "lite, times faster than sentence-transformers": p50["sentence-transformers"] / p50["lite"],
        "full int8 over the int8 encoder alone": p50["full, int8"] / p50["int8 encoder alone"],
        "full int8 over the int8 encoder alone, onnxruntime's defaults": p50["full, int8"]
        / p50["int8 encoder alone, onnxruntime's defaults"],
    }
    return {"bank": PEERS, "questions": count, "sides": table, "ratios": ratios, "left_out": missing}


def floor(bundle: Path, count: int) -> dict[str, float]:
    """Lower bounds: the tokenizer, the encoder's products at this machine's rate, one read of the bank."""
    import tokenizers

    asked = questions_of(bundle, count)
    tokenizer = tokenizers.Tokenizer.from_file(str(bundle / "model/tokenizer.json"))
    tokenizer.no_padding()
    _, cpu = time_each(tokenizer.encode, asked)
    tokens = int(np.median([len(tokenizer.encode(text).ids) for text in asked]))
    x, weight = np.ones((tokens, 384), np.float32), np.ones((384, 1536), np.float32)
    _, product = time_each(lambda _: x @ weight, range(200))
    rate = 2 * x.size * 1536 / (np.median(product) / 1e3)
    # MiniLM-L6: per layer 4 d^2 for attention and 8 d^2 for the feed-forward part, times tokens; and tokens^2 d twice
    flops = 6 * (2 * tokens * 12 * 384**2 + 4 * tokens**2 * 384)
    block = np.ones((400_000, 256), np.float32)  # 400 MB, beyond any cache
    _, read = time_each(lambda _: block @ block[0], range(8))
    bandwidth = block.nbytes / (np.median(read) / 1e3)
    return {
        "tokenizer_ms": float(np.median(cpu)), "tokens": tokens,
        "fp32_gflops": rate / 1e9, "encoder_gflop": flops / 1e9,
        "encoder_fp32_ms": flops / rate * 1e3, "memory_gb_per_s": bandwidth / 1e9,
        "read_1000000_vectors_ms": 1_000_000 * 1024 / bandwidth * 1e3,
    }  # fmt: skip


def main() -> None:
    """Measure everything and write the report and its plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--exact-below", type=int, default=IndexParams().exact_below)
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter of the peers (one with dspy)")
    parser.add_argument("--out", default="reports/bench_select.json")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        kind, first, second, threads = options.child
        if kind == "one":
            print(json.dumps(one(options.bundle, first, second, int(threads), options.questions)))
        else:
            print(json.dumps(peers(options.bundle, Path(first), options.questions)))
        return
    questions = ["--questions", str(options.questions)]
    report: dict[str, Any] = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "banks": {}}
    report["floor"] = floor(options.bundle, options.questions)
    for size in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.bundle.resolve().parent) as work:
            folder = Path(work) / "bundle"
            built = grown_bundle(options.bundle.resolve(), size, folder, options.exact_below)
            files = {p.name: p.stat().st_size / 1e6 for p in sorted((folder / "bank-1").iterdir())}
            entry: dict[str, Any] = {"build_cpu_s": built, "files_mb": files, "modes": {}}
            for mode, precision in MODES:
                for threads in options.threads if size == PEERS else options.threads[:1]:
                    run = child([str(folder), *questions, "--child", "one", mode, precision, str(threads)])
                    entry["modes"][f"{mode} {precision}, {threads} thread{'s' * (threads > 1)}"] = run
                    print(f"{size} {mode} {precision} {threads}: {run['cpu_ms']['p50']:.3f} ms CPU", file=sys.stderr)
            report["banks"][str(size)] = entry
            if size == PEERS:
                interpreter, sys.executable = sys.executable, options.peers_python
                report["peers"] = child([str(folder), *questions, "--child", "peers", str(options.bundle), "-", "1"])
                sys.executable = interpreter
                print(json.dumps(report["peers"]["ratios"], indent=2), file=sys.stderr)
        write_json(options.out, report)  # after each size, so that a stopped run keeps its results
    from select_plot import plot

    plot(report, Path(options.out).parent / "plots/bench_select.png")


if __name__ == "__main__":
    main()

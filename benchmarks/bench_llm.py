"""The embedded model: tokens read and written per CPU second, compared with transformers and llama.cpp in the same run.

    python benchmarks/bench_llm.py              # two minutes on two quiet cores
    python benchmarks/bench_llm.py --tokens 256

Rates are per CPU second of one thread (ratios survive a busy machine, wall times do not). The floor is this
machine's own fp32 matrix product over the model's multiplications.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable

os.environ["OMP_NUM_THREADS"] = "1"

from skillshot.common.environment import configure

configure()

import torch  # noqa: E402

from skillshot.llm.llama import Cache  # noqa: E402
from skillshot.llm.local import EmbeddedEngine  # noqa: E402
from skillshot.llm.weights import packaged_gguf, unpacked  # noqa: E402

STEPS = 6  # tokens written for each measurement
TEXT = "Emma packs 12 boxes with 8 pears each and sells 30 of them; how many are left? 12 * 8 = 96 and 96 - 30 = 66. "


def rate(action: Callable[[], object], tokens: int, repeats: int = 2) -> float:
    """Tokens per CPU second, the best of some repeats after one to warm up."""
    action()
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        action()
        best = min(best, time.process_time() - began)
    return round(tokens / best, 1)


def floor(tokens: int) -> float:
    """Tokens per CPU second if reading took only its matrix products at the measured fp32 rate."""
    x, weight = torch.randn(tokens, 576), torch.randn(1536, 576)
    products = rate(lambda: torch.nn.functional.linear(x, weight), 1)
    layers = 30 * (576 * (576 + 2 * 192) + 576 * 576 + 3 * 576 * 1536)
    return round(products * tokens * 576 * 1536 / layers, 1)


def ours(tokens: int) -> dict[str, float]:
    """Tokens per CPU second of reading one text, and of writing with 1, 4 and 16 rows."""
    engine = EmbeddedEngine()
    ids = torch.tensor((engine.tokens(TEXT) * tokens)[:tokens])
    model = engine._model
    out = {"read": rate(lambda: model.prefill(ids, keep=1), tokens)}
    _, store = model.prefill(ids, keep=1)
    for rows in (1, 4, 16):

        def write(rows: int = rows) -> None:
            cache = Cache.join([store] * rows, STEPS)
            for _ in range(STEPS):
                model.step(torch.zeros(rows, dtype=torch.int64), cache)

        out[f"write, {rows} rows"] = rate(write, STEPS * rows, 1)
    return out


def theirs(tokens: int) -> dict[str, float]:
    """transformers on the same weights and numbers."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(unpacked(), dtype=torch.float32).eval()
    ids = torch.tensor([(EmbeddedEngine().tokens(TEXT) * tokens)[:tokens]])

    def write() -> None:
        model.generate(ids[:, :16], max_new_tokens=STEPS, min_new_tokens=STEPS, do_sample=False)

    with torch.inference_mode():
        return {
            "read": rate(lambda: model(ids, logits_to_keep=1), tokens),
            "write, 1 rows": rate(write, STEPS, 1),
        }


def llama_cpp(tokens: int) -> dict[str, float]:
    """llama.cpp (xllamacpp) on the 4-bit weights, one thread; wall time as reported by llama.cpp."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(packaged_gguf())
    params.n_ctx, params.n_parallel, params.port = 2048, 1, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    prompt = EmbeddedEngine()._tokenizer.decode((EmbeddedEngine().tokens(TEXT) * tokens)[:tokens])
    began = time.process_time()
    server.handle_completions({"prompt": prompt, "max_tokens": 1, "temperature": 0, "ignore_eos": True})
    read = time.process_time() - began
    began = time.process_time()
    server.handle_completions({"prompt": prompt, "max_tokens": 33, "temperature": 0, "ignore_eos": True})
    return {"read": round(tokens / read, 1), "write, 1 rows": round(32 / (time.process_time() - began), 1)}


def main() -> None:
    """Measure and print a JSON document on stdout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=512, help="length of the text that is read (default 512)")
    tokens = parser.parse_args().tokens
    torch.set_num_threads(1)
    sides = {"skillshot": ours, "transformers": theirs, "xllamacpp": llama_cpp}
    report: dict[str, object] = {"tokens": tokens, "floor, read": floor(tokens)}
    for name, side in sides.items():
        if name != "skillshot" and importlib.util.find_spec(name) is None:
            print(f"{name} left out: not installed", file=sys.stderr)
            continue
        report[name] = side(tokens)
        print(f"{name}: {report[name]}", file=sys.stderr)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

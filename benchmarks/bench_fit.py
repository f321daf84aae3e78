"""CPU seconds of `skillshot fit` against LangChain's `SemanticSimilarityExampleSelector.from_examples`.

python benchmarks/bench_fit.py [--bank bank.jsonl] [--rows 1000 ...] [--repeat 3] [--lite] [--report FILE]

Both use the same sentence encoder on the same rows, each in a process of its own, imports included, in turn. LangChain
gets sentence-transformers with its default batch and the vector store of langchain-core. The exported encoder of
skillshot is made before, once on a machine; `first_fit` is the time of a fit that has to make it. `--lite` measures the
fit without an encoder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from skillshot.common.io import read_jsonl, write_json, write_jsonl

LANGCHAIN = """
import json, sys
from langchain_core.embeddings import Embeddings
from langchain_core.example_selectors import SemanticSimilarityExampleSelector
from langchain_core.vectorstores import InMemoryVectorStore
from sentence_transformers import SentenceTransformer
from skillshot.encoder import packaged_model_path

class MiniLM(Embeddings):  # as langchain-huggingface does it
    def __init__(self):
        self.model = SentenceTransformer(packaged_model_path())
    def embed_documents(self, texts):
        return self.model.encode(list(texts)).tolist()
    def embed_query(self, text):
        return self.embed_documents([text])[0]

rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
examples = [{"question": row["question"], "answer": row["answer"]} for row in rows]
selector = SemanticSimilarityExampleSelector.from_examples(
    examples, MiniLM(), InMemoryVectorStore, k=4, input_keys=["question"])
print(len(selector.select_examples({"question": examples[0]["question"]})))
"""


def cpu_seconds(command: list[str], variables: Mapping[str, str]) -> float:
    """User and system seconds of a process and its children, on one thread."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"} | dict(variables)
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(bank: Path, repeat: int, work: Path, lite: bool) -> dict[str, Any]:
    """Medians of `repeat` runs of each side, and the median of the ratios of neighbours."""
    models = {"SKILLSHOT_MODELS": str(work / "models")}
    fit = [sys.executable, "-m", "skillshot.cli.main", "fit", str(bank), "--out", str(work / "bundle")]
    fit += ["--lite"] if lite else []
    theirs = [sys.executable, "-c", LANGCHAIN, str(bank)]
    first = None if lite else cpu_seconds(fit, models)
    pairs = [(cpu_seconds(fit, models), cpu_seconds(theirs, {})) for _ in range(repeat)]
    return {
        "skillshot": round(median(mine for mine, _ in pairs), 1),
        "langchain": round(median(other for _, other in pairs), 1),
        "ratio": round(median(mine / other for mine, other in pairs), 2),
    } | ({} if first is None else {"first_fit": round(first, 1)})


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bank", type=Path, help="jsonl with question, rationale and answer (default: storyskills)")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--lite", action="store_true", help="fit without an encoder")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    if options.bank:
        rows = list(read_jsonl(options.bank))
    else:
        from skillshot.sources.storyskills import generate

        rows = [record.to_dict() for record in generate(max(options.rows), 7)]
    report = {}
    for count in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            bank = Path(folder) / "bank.jsonl"
            write_jsonl(bank, rows[:count])
            report[str(count)] = compare(bank, options.repeat, Path(folder), options.lite)
        print(json.dumps({count: report[str(count)]}), flush=True)
    if options.report:
        write_json(options.report, report)


if __name__ == "__main__":
    main()

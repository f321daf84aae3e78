"""Environment variables, set in one place and before any heavy import.

The offline and telemetry variables keep a run private and make it fail fast. Thread counts are pinned because the same
seed gives other floats on another number of threads. A variable that is already set is not changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

THREADS = "2"

# Switches of telemetry: nothing is sent, and no identifier is stored in the home folder. Each is read at import.
PRIVATE = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime 1.31 on Linux; its `disable_telemetry_events()` comes too late
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # datasets, transformers and sentence_transformers read it too
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "true",
}

DEFAULTS = PRIVATE | {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "TOKENIZERS_PARALLELISM": "false",
    # a missing Hub dataset fails at once instead of after 23 s; sources that use the Hub switch it off
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": THREADS,
    # the same code path on every x86 machine of the last ten years; COMPATIBLE was measured to be 3 times slower
    "MKL_CBWR": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # spinning threads slow down a busy machine (measured: down to 1 token/s)
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "MPLBACKEND": "Agg",
    "TQDM_MININTERVAL": "1",
}


def configure(defaults: Mapping[str, str] = DEFAULTS) -> None:
    """Set every default whose variable is not set."""
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def home() -> Path | None:
    """The user's home folder, or None where there is none (HOME empty, or a user without an entry)."""
    if os.environ.get("HOME") == "":
        return None
    try:
        return Path.home()
    except RuntimeError:
        return None


def cache_folder() -> Path | None:
    """Folder of what is made once on a machine: SKILLSHOT_MODELS, or skillshot/ in XDG_CACHE_HOME, or in ~/.cache.

    The first that is set; None where neither is, and there is no home folder.
    """
    if given := os.environ.get("SKILLSHOT_MODELS"):
        return Path(given)
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "skillshot"
    return None if (folder := home()) is None else folder / ".cache" / "skillshot"


def repository(start: Path | None = None) -> Path:
    """The repository's root: the nearest folder upwards that holds `dvc.yaml`, or `start` where there is none."""
    start = (start or Path.cwd()).resolve()
    return next((folder for folder in (start, *start.parents) if (folder / "dvc.yaml").exists()), start)

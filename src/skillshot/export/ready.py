"""The files of a sentence encoder, exported once on a machine and then copied into each bundle that is fitted."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skillshot.common.environment import cache_folder
from skillshot.common.errors import SkillshotError
from skillshot.common.io import made_once, read_json, sha256_file, sha256_text, write_json
from skillshot.encoder import embed_texts, load_encoder, weights_folder
from skillshot.export.encoder import write_encoder
from skillshot.export.quantise import SAMPLE
from skillshot.runtime.layout import ENCODER_FILES, ENCODERS
from skillshot.runtime.onnx import TextEncoder
from skillshot.runtime.temporary import TemporaryFolder

logger = logging.getLogger("skillshot")
FILES = (*ENCODER_FILES, *ENCODERS.values())
ABOUT = "about.json"  # digests of the files, and their difference from torch
KEPT = 3  # encoders that stay, of 115 MB each
MAKERS = ("torch", "transformers", "sentence-transformers", "onnx", "onnxruntime")  # whose versions change the bytes


@dataclass(frozen=True)
class ReadyEncoder:
    """An exported encoder: its folder, and the largest difference of an embedding from torch's."""

    folder: Path
    max_difference: float
    owner: TemporaryFolder | None = None  # where it could not be kept

    @property
    def files(self) -> list[Path]:
        """What a bundle's model folder gets."""
        return [self.folder / name for name in FILES]

    def encoder(self, threads: int = 1) -> TextEncoder:
        """The fp32 encoder, opened."""
        return TextEncoder(self.folder, threads)


def ready_encoder(name: str) -> ReadyEncoder:
    """The encoder `name` as ONNX, in fp32 and int8, from the cache folder where an equal one is kept.

    Equal is one of the same weights, exported by the same code and versions. A kept one that was damaged is made again.

    Raises:
        InputError: there is no such model, or it cannot be exported.
    """
    source, cache = weights_folder(name), cache_folder()
    if source is None or cache is None:
        return _temporary(name)
    folder = cache / f"encoder-{_identity(source)[:16]}"
    if (found := _opened(folder)) is not None:
        with contextlib.suppress(OSError):  # a cache that can only be read
            os.utime(folder)
        return found
    try:
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        with made_once(folder) as work:
            _make(name, work)
    except OSError as error:
        logger.warning("%s: the exported encoder cannot be kept: %s; it is made again each time", cache, error.strerror)
        return _temporary(name)
    _prune(cache)
    made = _opened(folder)
    if made is None:
        raise SkillshotError(f"{folder}: the exported encoder changed while it was made; fit again")
    return made


def _prune(cache: Path) -> None:
    """Remove all but the encoders that were used last."""
    with contextlib.suppress(OSError):  # another process removes too
        kept = sorted(cache.glob("encoder-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in kept[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)


def _identity(source: Path) -> str:
    """Digest of the weights and of all that turns them into files."""
    files = sorted(path for path in source.rglob("*") if path.is_file())
    code = [Path(__file__).with_name(f"{name}.py") for name in ("encoder", "quantise", "canonical", "ready")]
    digests = [f"{path.name} {sha256_file(path)}" for path in (*files, *code)]
    return sha256_text("\n".join(digests + [f"{name} {importlib.metadata.version(name)}" for name in MAKERS]))


def _opened(folder: Path) -> ReadyEncoder | None:
    """The encoder of a folder; None where there is none, or where its files are not those that were written."""
    if not (folder / ABOUT).is_file():
        return None
    about = read_json(folder / ABOUT)
    if any(not (folder / name).is_file() or sha256_file(folder / name) != about["sha256"][name] for name in FILES):
        logger.warning("%s: its files have changed; the encoder is exported again", folder)
        return None
    return ReadyEncoder(folder, float(about["max_difference"]))


def _temporary(name: str) -> ReadyEncoder:
    home = TemporaryFolder()
    return ReadyEncoder(home.path, _make(name, home.path), home)


def _make(name: str, folder: Path) -> float:
    logger.info("export: the encoder as ONNX, once on this machine")
    encoder = load_encoder(name)
    write_encoder(encoder, folder)
    difference = float(np.abs(TextEncoder(folder).encode(SAMPLE) - embed_texts(encoder, SAMPLE).vectors).max())
    digests = {file: sha256_file(folder / file) for file in FILES}
    write_json(folder / ABOUT, {"sha256": digests, "max_difference": difference})
    return difference

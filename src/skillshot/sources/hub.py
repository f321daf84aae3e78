"""Datasets of the Hugging Face Hub, or a local folder of one, read by `datasets`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from skillshot.bank.rows import Raw
from skillshot.common.errors import InputError


def read_hub(name: str, config: str | None, split: str) -> Iterator[Raw]:
    """Yield the rows of one split; Arrow keeps them on disk, so that memory does not grow.

    `HF_HUB_OFFLINE` is switched off for this process, because a named Hub dataset may have to be downloaded.

    Raises:
        InputError: the dataset, its configuration or its split cannot be loaded.
    """
    data = _load(name, config, split)
    file = f"{name}/{config}/{split}" if config else f"{name}/{split}"
    for line, row in enumerate(data, 1):
        yield Raw(file, line, row)


def _load(name: str, config: str | None, split: str) -> Any:
    go_online()
    import datasets

    try:
        return datasets.load_dataset(name, config, split=split)
    except Exception as error:  # datasets passes on any exception of its back ends
        why = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError(
            f"ingest.source hub: cannot load {name!r} (config {config!r}, split {split!r}): {why}\n"
            "check the names and the network, or download the file and use ingest.source: file"
        ) from error


def go_online() -> None:
    """Switch the offline default off, also where the Hub libraries have already read it."""
    os.environ["HF_HUB_OFFLINE"] = "0"
    import datasets.config
    import huggingface_hub.constants as constants

    constants.HF_HUB_OFFLINE = False
    datasets.config.HF_HUB_OFFLINE = False

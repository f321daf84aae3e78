"""Search everything that is to be published for the secrets of the environment."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from skillshot.common.errors import TrackError

_NAME = re.compile(r"(^|_)(API_?KEY|ACCESS_KEY|TOKEN|SECRET|PASSWORD|PASSWD)(_|$)", re.IGNORECASE)
_CREDENTIALS = re.compile(r"://[^/\s:@]+:[^/\s@]+@")
MIN_LENGTH = 8  # a shorter value could be part of an ordinary word


def secrets_of(environment: Mapping[str, str], extra: Iterable[str] = ()) -> dict[str, str]:
    """Variables that hold secrets, by their name or because `extra` lists them (`llm.api_key_env`)."""
    names = set(extra)
    return {
        name: value
        for name, value in environment.items()
        if (name in names or _NAME.search(name)) and len(value) >= MIN_LENGTH
    }


def refuse_secrets(params: Mapping[str, str], files: Iterable[Path], extra: Iterable[str] = ()) -> None:
    """Refuse to publish a secret of the environment or a URL with a password.

    Raises:
        TrackError: something contains one; names the variable and the place, never the value.
    """
    known = secrets_of(os.environ, extra)
    for key, value in params.items():
        if _CREDENTIALS.search(value):
            raise TrackError(
                f"params.yaml: {key} is a URL with a password\n"
                "put the secret into the variable that llm.api_key_env names"
            )
        for name, secret in known.items():
            if secret in value:
                raise TrackError(f"params.yaml: {key} holds the value of ${name}\nremove it and replace the secret")
    if not known:
        return
    for path in files:
        if not path.stat().st_size:
            continue
        with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for name, secret in known.items():
                if data.find(secret.encode()) >= 0:
                    raise TrackError(
                        f"{path}: holds the value of ${name}; not published\nremove it and replace the secret"
                    )

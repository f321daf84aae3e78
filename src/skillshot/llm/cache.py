"""The answer cache: all answers of language models, in one append-only file of JSON lines.

A record is a small file of the same lines: the answers of one evaluation, which git can keep.

A line is one `write` to an `O_APPEND` file under a lock, so that two processes do not mix their lines. A process killed
at any moment leaves at most one incomplete last line, which the next writer ends and readers skip.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skillshot.common.io import atomic_write, sha256_text

try:
    import fcntl
except ImportError:  # not a POSIX system: lines are appended without a lock
    fcntl = None  # type: ignore[assignment]

NAME = "llm.jsonl"


def default_path() -> Path:
    """SKILLSHOT_CACHE/llm.jsonl, or .cache/skillshot/llm/llm.jsonl in the working folder where that is not set."""
    given = os.environ.get("SKILLSHOT_CACHE")
    return Path(given) / NAME if given else Path(".cache/skillshot/llm") / NAME


def digest(model: str, kind: str, prompt: str, decoding: Any) -> str:
    """Key of a call: a hash of everything its answer depends on."""
    parts = [1, model, kind, prompt, decoding]
    return sha256_text(json.dumps(parts, sort_keys=True, ensure_ascii=False))


def seal(key: str, answer: Any) -> str:
    """Short digest stored with each line, by which an edited or damaged answer is detected."""
    return sha256_text(json.dumps([key, answer], sort_keys=True, ensure_ascii=True))[:16]


class AnswerCache:
    """Answers by key, read from and appended to one file.

    damaged: lines that cannot be used. used: keys of the answers that were looked up with success or added.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.damaged = 0
        self.used: set[str] = set()
        self._answers: dict[str, Any] = {}
        self._read = 0
        self.refresh()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str) -> Any | None:
        """The stored answer (JSON value), or None."""
        answer = self._answers.get(key)
        if answer is not None:
            self.used.add(key)
        return answer

    def refresh(self) -> None:
        """Read the lines that any process appended since the last time."""
        if not self.path.exists():
            return
        with self.path.open("rb") as handle:
            handle.seek(self._read)
            data = handle.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for key, answer in self._entries(whole):
            self._answers.setdefault(key, answer)

    def add(self, key: str, answer: Any, **about: Any) -> None:
        """Append an answer to the file. The keys of `about` are only for people who read the file."""
        line = json.dumps(
            {"key": key, **about, "digest": seal(key, answer), "answer": answer}, ensure_ascii=False
        ).encode("utf-8", "backslashreplace")
        with self._locked() as descriptor:
            size = os.fstat(descriptor).st_size
            incomplete = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            _write_all(descriptor, (b"\n" if incomplete else b"") + line + b"\n")
        self._answers.setdefault(key, answer)
        self.used.add(key)

    def adopt(self, record: Path) -> frozenset[str]:
        """Append the answers of a record that this cache lacks; its keys. No file: none."""
        found = dict(self._entries(record.read_bytes())) if record.exists() else {}
        for key in found.keys() - self._answers.keys():
            self.add(key, found[key])
        self.used -= found.keys()
        return frozenset(found)

    def write_record(self, record: Path) -> None:
        """Write the used answers, sorted and without seconds: the same answers give the same bytes."""
        with atomic_write(record) as handle:
            for key in sorted(self.used):
                answer = {name: value for name, value in self._answers[key].items() if name != "seconds"}
                handle.write(json.dumps({"key": key, "digest": seal(key, answer), "answer": answer}) + "\n")

    def _entries(self, lines: bytes) -> Iterator[tuple[str, Any]]:
        for line in lines.splitlines():
            try:
                entry = json.loads(line)
                # a line without its digest is of a version before digests, or written by hand: it is not an answer
                if entry["digest"] != seal(entry["key"], entry["answer"]):
                    raise ValueError("edited")
                yield entry["key"], entry["answer"]
            except (ValueError, KeyError, TypeError, RecursionError):
                self.damaged += bool(line.strip())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)  # releases the lock


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]

"""The standard words of the field are used everywhere: the words that they replaced do not come back."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# a pattern of what must not come back -> what to write instead
STANDARD = {
    "foretells?|foretelling|foretold": "predict, predicted",
    "mends?|mended|mending": "fix",
    "told|tells|said": "reported, logged, shows",
    "beside": "next to, together with, alongside",
    "likeness(es)?|alike": "similarity, similar",
    "twins?": "duplicate",
    "bought|found in the record": "cache miss, cache hit",
    "groups? of like": "near-duplicate groups",
    "surer": "overconfident",
    "somebody|whomever": "another process, any process",
    "rooms": "packages",
    "wishes": "load options",
    "lies|hangs? on": "is in, depends on",
    "goes against us": "negative results are reported",
}
WORDS = {word: re.compile(rf"(?<![a-z])({word})(?![a-z])", re.IGNORECASE) for word in STANDARD}
PLACES = (
    "src", "tests", "docs", "scripts", "benchmarks", "examples", ".github", ".ci", "Makefile", "Dockerfile",
    "README*", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml", "requirements*.lock", "*.yaml", "*.yml",
)  # fmt: skip
# path -> why its words are not ours
EXCLUDED = {
    "src/skillshot/sources/storyskills/": "word problems: their people tell, buy and mend",
    "src/skillshot/features/packaged/": "words of the banks that the prior was learned from",
    "tests/llm/records/": "recorded answers of a language model",
    "tests/project/test_vocabulary.py": "holds the words",
}


def files() -> list[Path]:
    """Text files in git, and new ones that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PLACES]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    texts = [name for name in listed if name and not name.endswith(".npy")]
    return sorted({ROOT / name for name in texts if not name.startswith(tuple(EXCLUDED))})


def hits(text: str) -> list[tuple[int, str, str]]:
    """Line number, word found and what to write instead."""
    return [
        (number, match.group(), STANDARD[word])
        for number, line in enumerate(text.splitlines(), 1)
        for word, pattern in WORDS.items()
        for match in pattern.finditer(line)
    ]


def test_the_words_that_were_replaced_do_not_come_back() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {word!r}, write: {instead}"
        for path in files()
        if path.is_file()
        for number, word, instead in hits(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    ("line", "count"),
    [("what is foretold", 1), ("Mend the file", 1), ("twin_of = TOLD", 2), ("commend, amended, relies, saidness", 0)],
)
def test_whole_words_are_found_in_prose_and_in_names(line: str, count: int) -> None:
    assert len(hits(line)) == count


def test_what_is_excluded_exists() -> None:
    assert [path for path in EXCLUDED if not (ROOT / path).exists()] == []

"""Rows of a prompt in a text file: blocks of "Q: ... A: ...", as chain-of-thought prompts are published."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skillshot.bank.limits import MAX_LINE, MIB
from skillshot.bank.rows import FileForm, Raw, lines_of

_QUESTION = re.compile(r"\s{0,8}(?:Q|Question|Problem|Input)\s?\d{0,4}\s?[:：]\s*(.*)", re.IGNORECASE | re.DOTALL)
_ANSWER = re.compile(r"\s{0,8}(?:A|Answer|Solution|Response|Output|SQL)\s?\d{0,4}\s?[:：]\s*(.*)", re.I | re.DOTALL)
_STEPS = re.compile(r"\s{0,8}Let['’]s think step by step", re.IGNORECASE)  # begins an answer where no word does
_RULE = re.compile(r"\s*(?:-{3,}|={3,}|#{3,}|\*{3,})\s*")


def is_prompt(head: str) -> bool:
    """Whether a text's first lines have a question and, after it, an answer."""
    asked = False
    for line in head.split("\n")[:2000]:
        if _QUESTION.match(line):
            asked = True
        elif asked and (_ANSWER.match(line) or _STEPS.match(line)):
            return True
    return False


def read_prompt(name: str, file: Path, handle: io.BufferedReader[Any], form: FileForm) -> Iterator[Raw]:
    """The blocks of a prompt, each with question and answer; what stands before the first one is left out.

    A last block without an answer is the place of the question that is asked, and is left out too.
    """
    form.add("text of questions and answers")
    block: _Block | None = None
    for line in lines_of(handle, lambda: b""):
        text = line.text.replace("\x00", "")
        if line.reason:
            if block:
                block.reason = block.reason or line.reason
        elif match := _QUESTION.match(text):
            if block:
                yield block.raw(name)
            block = _Block(line.number, match[1])
        elif block:
            block.add(text)
        if block:
            block.recoded |= line.recoded
    if block and not block.reason and not block.answered:
        form.warn(file, f"line {block.line}: a question without an answer ends the text and is left out")
    elif block:
        yield block.raw(name)


class _Block:
    """A question and its answer, line by line."""

    def __init__(self, line: int, question: str) -> None:
        self.line, self.reason, self.recoded = line, "", False
        self._question, self._answer = [question], [""]
        self._size, self._begun = len(question), False

    @property
    def answered(self) -> bool:
        return any(text.strip() for text in self._answer)

    def add(self, text: str) -> None:
        """Take a further line."""
        self._size += len(text)
        if self._size > MAX_LINE:
            self.reason = self.reason or f"row over {MAX_LINE // MIB} MiB"
            return
        if not self._begun and ((match := _ANSWER.match(text)) or _STEPS.match(text)):
            self._begun = True
            text = match[1] if match else text
        (self._answer if self._begun else self._question).append(text)

    def raw(self, name: str) -> Raw:
        """The block as a row."""
        if self.reason:
            return Raw(name, self.line, None, self.reason, self.recoded)
        while self._answer and (not self._answer[-1].strip() or _RULE.fullmatch(self._answer[-1])):
            self._answer.pop()  # what separates it from the next block
        question, answer = "".join(self._question).strip(), "".join(self._answer).strip()
        return Raw(name, self.line, {"question": question, "answer": answer}, "", self.recoded)

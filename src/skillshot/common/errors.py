"""Errors meant for people: each message names the value, the place and how to fix it."""

import shlex
from collections.abc import Mapping


class SkillshotError(Exception):
    """Base of every error this package raises on purpose.

    The command line prints the message without a traceback and exits with 2.
    """


class InputError(SkillshotError):
    """A file, a record or an argument is not what it must be."""


class ColumnsError(InputError):
    """The columns of a file are not the expected ones.

    `columns` maps fields to the file's columns that would fit. How such a map is given depends on the caller: as the
    argument `columns` in Python (the text of the error), as `--columns`, or as `ingest.columns` of params.yaml.
    """

    def __init__(self, problem: str, columns: Mapping[str, str]) -> None:
        super().__init__(f"{problem}\npass columns={dict(columns)}")
        self.problem, self.columns = problem, dict(columns)

    def for_command(self) -> str:
        """The message with an option to paste into a shell."""
        pairs = ",".join(f"{field}={column}" for field, column in self.columns.items())
        return f"{self.problem}\nadd --columns {shlex.quote(pairs)}"

    def for_params(self) -> str:
        """The message with a line for params.yaml."""
        pairs = ", ".join(f"{field}: {column or repr('')}" for field, column in self.columns.items())
        return f"{self.problem}\nset ingest.columns: {{{pairs}}}"


class ParamsError(SkillshotError):
    """`params.yaml` or a `--set` override is not understood."""


class BundleError(SkillshotError):
    """A bundle folder is damaged, incomplete, or newer than this version."""


class DatabaseError(SkillshotError):
    """The database of a bank does not answer, or refuses a statement."""


class CollapseError(SkillshotError):
    """The latent carries nothing: training ended in posterior collapse."""


class EngineError(SkillshotError):
    """An LLM engine failed or cannot do what was asked of it."""


class TrackError(SkillshotError):
    """Publishing, gating, verifying or promoting is refused."""


class NotANumberError(SkillshotError, ValueError):
    """A result is NaN or infinite: it is not written, because nothing can be compared with it."""


class BudgetError(EngineError):
    """A call would go over the budget of calls, tokens or money; it was not sent."""

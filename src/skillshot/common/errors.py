"""Errors meant for people: each message names the value, the place and the mend."""


class SkillshotError(Exception):
    """Base of every error this package raises on purpose.

    The command line prints the message without a traceback and exits with 2.
    """


class InputError(SkillshotError):
    """A file, a record or an argument is not what it must be."""


class ParamsError(SkillshotError):
    """`params.yaml` or a `--set` override is not understood."""


class BundleError(SkillshotError):
    """A bundle folder is damaged, incomplete, or newer than this version."""


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

"""A missing package, and the one extra of this package that brings it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from skillshot.common.errors import SkillshotError

NAMES = {"sklearn": "scikit-learn", "yaml": "pyyaml", "faiss": "faiss-cpu"}  # modules named unlike their package

_REQUIREMENT = re.compile(r"""^(?P<package>[\w.-]+)[^;]*;.*\bextra\s*==\s*['"](?P<extra>[\w-]+)['"]""")


class MissingPackageError(SkillshotError, ImportError):
    """A package of an extra is not installed."""


def extra_of(module: str) -> str | None:
    """The extra of skillshot that brings a module, from the installed metadata; None where no extra does."""
    from importlib import metadata  # late: the runtime imports this module, and metadata costs it 30 ms

    try:
        requirements = metadata.requires("skillshot") or []
    except metadata.PackageNotFoundError:
        return None
    wanted = _normal(package_of(module))
    found = (match for line in requirements if (match := _REQUIREMENT.match(line)))
    return next((match["extra"] for match in found if _normal(match["package"]) == wanted), None)


def package_of(module: str) -> str:
    """The package on PyPI that holds a module."""
    top = module.split(".")[0]
    return NAMES.get(top, top.replace("_", "-"))


@contextlib.contextmanager
def extras_named() -> Iterator[None]:
    """Inside, a missing third-party module names the extra to install.

    Raises:
        MissingPackageError: instead of ModuleNotFoundError.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = error.name or ""
        if not module or module.split(".")[0] == "skillshot":
            raise
        extra = extra_of(module)
        install = f"pip install 'skillshot[{extra}]'" if extra else f"pip install {package_of(module)}"
        raise MissingPackageError(f"the package {package_of(module)} is not installed: {install}") from error


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).casefold()

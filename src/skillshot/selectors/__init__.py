"""Every selector beside ours, on one bundle: choices for evaluation, alignment for `skillshot score`."""

from skillshot.selectors.choose import choose

__all__ = ["choose"]

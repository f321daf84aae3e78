"""A pickled Selector opened again."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from skillshot.common.errors import BundleError
from skillshot.runtime.manifest import NAME
from skillshot.runtime.opening import open_bundle
from skillshot.runtime.options import LoadOptions
from skillshot.runtime.temporary import owner_of

logger = logging.getLogger("skillshot")


def restored(kind: Any, options: LoadOptions, digest: str) -> Any:
    """A Selector of class `kind` on what the bundle holds now.

    Raises:
        BundleError: the bundle is gone or damaged.
    """
    if not (options.folder / NAME).exists():
        if options.source is None:
            raise BundleError(
                f"{options.folder}: the bundle of this pickled Selector is gone; a pickle holds its path alone\n"
                "save_pretrained to a folder that stays, and pickle what Selector.load opens there"
            )
        fresh = options.again()
    else:
        fresh = replace(options, owner=owner_of(options.folder))
    selector = kind(open_bundle(fresh), fresh)
    if selector.facts["data"]["sha256"] != digest:
        logger.warning("%s: the bank changed since this Selector was pickled", fresh.source or fresh.folder)
    return selector

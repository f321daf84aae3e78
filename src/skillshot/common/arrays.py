"""Array types."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]  # row numbers of a bank
Mask = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]  # hashes of questions

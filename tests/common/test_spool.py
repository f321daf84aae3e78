"""Records of a large bank in a file: the same records, in any order, and slices that copy nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from skillshot.common.record import Record
from skillshot.common.spool import Spool

ODD = Record(
    "a", "How many?\n\ud800 사과", "3 + 4 = 7", "7", "x | 1", ("6", "7"), "kg", "number", "g", {"n": [{"m": 1}]}
)
RECORDS = [
    ODD,
    *(Record(str(row), f"Question {row}", answer=str(row), metadata={"correct": row % 2 == 0}) for row in range(9)),
]


def test_records_are_those_that_were_given(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "bank", iter(RECORDS))
    assert list(spool) == RECORDS and len(spool) == len(RECORDS)
    assert (spool[0], spool[-1], spool[4].correct) == (RECORDS[0], RECORDS[-1], RECORDS[4].correct)
    assert list(spool[2:7][1:]) == RECORDS[3:7] and not spool[3:3]
    assert spool[2:7]._starts is spool._starts
    with pytest.raises(IndexError):
        spool[len(RECORDS)]
    assert list(Spool(tmp_path / "none", [])) == []

"""Korean spelling: particles that follow the last sound, and units."""

from __future__ import annotations

import re

_PARTICLES = {"을(를)": ("을", "를"), "이(가)": ("이", "가"), "은(는)": ("은", "는"), "과(와)": ("과", "와")}
_PARTICLE = re.compile(r"(.)(을\(를\)|이\(가\)|은\(는\)|과\(와\))")
# digits whose Sino-Korean reading ends in a consonant
_CLOSED_DIGITS = "013678"

UNITS = {
    "{items}": "개",
    "{boxes}": "개",
    "{money}": "달러",
    "meters": "미터",
    "square meters": "제곱미터",
    "hours": "시간",
    "minutes": "분",
    "years": "살",
}


def particles(text: str) -> str:
    """`사과을(를)` -> `사과를`: choose the particle by whether the last sound before it is a consonant."""

    def mend(match: re.Match[str]) -> str:
        last, particle = match.groups()
        # a Hangul syllable is 28 * (initial, vowel) + final; final 0 is none
        closed = last in _CLOSED_DIGITS or ("가" <= last <= "힣" and (ord(last) - ord("가")) % 28 != 0)
        return last + _PARTICLES[particle][0 if closed else 1]

    return _PARTICLE.sub(mend, text)

"""The budget of a run. A call is reserved before it is sent, so that the bounds hold with concurrent calls."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from skillshot.common.errors import BudgetError
from skillshot.common.params import LlmParams

MILLION = 1_000_000


@dataclass
class Budget:
    """Bounds from `settings`; `calls`, `prompt_tokens` and `completion_tokens` count what was spent."""

    settings: LlmParams
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    _reserved: tuple[int, int] = (0, 0)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _next: float = 0.0

    @property
    def cost(self) -> float:
        """Money spent, in the currency of `price_input` and `price_output`."""
        return self._price(self.prompt_tokens, self.completion_tokens)

    def reserve(self, prompt: int, completion: int) -> None:
        """Count one call and reserve tokens for it: at most this many read and written.

        Raises:
            BudgetError: a bound would be exceeded; nothing was reserved.
        """
        with self._lock:
            reserved = (self._reserved[0] + prompt, self._reserved[1] + completion)
            read, written = self.prompt_tokens + reserved[0], self.completion_tokens + reserved[1]
            needs = {
                "max_calls": self.calls + 1,
                "max_tokens": read + written,
                "max_cost": self._price(read, written),
            }
            for name, need in needs.items():
                bound = getattr(self.settings, name)
                if bound is not None and need > bound:
                    raise BudgetError(
                        f"llm.{name} {bound}: the next call would need {need:g} "
                        f"(spent: {self.calls} calls, {self.prompt_tokens + self.completion_tokens} tokens, "
                        f"{self.cost:g})\nall answers so far are in the cache; raise the bound and run again"
                    )
            self.calls += 1
            self._reserved = reserved

    def settle(self, reserved: tuple[int, int], used: tuple[int, int] = (0, 0)) -> None:
        """Release a reservation and count what was used (nothing where the call failed)."""
        with self._lock:
            self._reserved = (self._reserved[0] - reserved[0], self._reserved[1] - reserved[1])
            self.prompt_tokens += used[0]
            self.completion_tokens += used[1]

    def pace(self) -> None:
        """Wait until the next call is allowed by `calls_per_minute`."""
        if not self.settings.calls_per_minute:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + 60 / self.settings.calls_per_minute
        time.sleep(turn - now)

    def _price(self, prompt: int, completion: int) -> float:
        return (prompt * self.settings.price_input + completion * self.settings.price_output) / MILLION

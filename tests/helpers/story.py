"""The type of the `story` fixture."""

from __future__ import annotations

from skillshot.common.record import Record

Story = tuple[list[Record], list[Record]]  # bank, queries

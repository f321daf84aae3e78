"""One thin module per DVC stage: read, call the library, write."""

from skillshot.common.environment import configure

configure()

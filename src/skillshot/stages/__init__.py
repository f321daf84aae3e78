"""One thin module per DVC stage: read, call the library, write."""

from skillshot.environment import configure

configure()

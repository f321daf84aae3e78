"""The page to work with: `skillshot ui BUNDLE`. A local server; it needs flask (extra `ui`)."""

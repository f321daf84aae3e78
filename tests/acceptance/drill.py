"""Promotion, rollback and publishing against real servers: PostgreSQL, an S3 store, an MLflow server, a DVC remote.

    export PYTHONPATH=tests
    python -m acceptance.sabotage --folder DIR --only nothing   # a small finished pipeline, once
    python -m acceptance.drill DIR                              # then the drill: about 5 minutes of CPU

All servers listen on 127.0.0.1 and end with the drill. It needs PostgreSQL's programs, and of packages outside the lock
`moto[server]`, `boto3`, `psycopg2-binary` and `dvc-s3`; what is missing is named.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "reports/benchmarks/drill.json"
FEWER = """
_build = build_bundle
def build_bundle(model, vectors, records, *rest, **more):
    _build(model, {name: rows[:300] for name, rows in vectors.items()}, records[:300], *rest, **more)
"""
FLIPPED = """
_build = build_bundle
def build_bundle(model, vectors, *rest, **more):
    _build(model, {name: -rows for name, rows in vectors.items()}, *rest, **more)
"""
ASK = """
import json, mlflow, pandas as pd
model = mlflow.pyfunc.load_model("models:/skillshot-selector@champion")
asked = pd.DataFrame({"question": ["A shop sells 3 pens a day for 7 days. How many is that?", "Who is taller?"]})
print(json.dumps([[d["id"] for d in found] for found in model.predict(asked)]))
"""
COUNT = """
import mlflow
client = mlflow.MlflowClient()
experiment = client.get_experiment_by_name("skillshot").experiment_id
runs = client.search_runs([experiment], "tags.`skillshot.kind` = 'pipeline'")
print(len(runs), sum("skillshot.complete" in run.data.tags for run in runs),
      len(client.search_model_versions("name='skillshot-selector'")))
"""


def port() -> int:
    """A free port of the loopback interface."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(command: list[str], url: str, **options: Any) -> Iterator[None]:
    """A server until the block ends; waits until it answers."""
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **options
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(url, timeout=2).read()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.5)
        else:
            raise SystemExit(f"{command[0]} did not come up at {url}")
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL cluster of its own; gives its URI. It refuses root, so root starts it as the user `postgres`."""
    data, number = folder / "pg", port()
    data.mkdir()
    user: dict[str, Any] = {"user": "postgres"} if os.getuid() == 0 else {}
    if user:
        shutil.chown(data, "postgres")
        folder.chmod(0o755)
    quiet: dict[str, Any] = {"check": True, "capture_output": True, "cwd": data, **user}
    subprocess.run(["initdb", "-D", str(data), "-A", "trust", "-U", "skillshot"], **quiet)
    options = f"-p {number} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    subprocess.run(["pg_ctl", "-D", str(data), "-w", "-l", str(data / "log"), "-o", options, "start"], **quiet)
    try:
        yield f"postgresql+psycopg2://skillshot@127.0.0.1:{number}/postgres"
    finally:
        subprocess.run(["pg_ctl", "-D", str(data), "-m", "immediate", "stop"], **quiet)


class Repository:
    """A clone of the small pipeline with DVC's cache shared."""

    def __init__(self, source: Path, folder: Path, cache: Path | None) -> None:
        self.root = folder
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "src"),
            "SKILLSHOT_CACHE": str(source / ".record"),
            "AWS_ACCESS_KEY_ID": "drill", "AWS_SECRET_ACCESS_KEY": "drill-drill", "AWS_DEFAULT_REGION": "us-east-1",
        }  # fmt: skip
        subprocess.run(["git", "clone", "-q", str(source), str(folder)], check=True)
        for key, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
            self("git", "config", key, value)
        if cache:
            (folder / ".dvc/config.local").write_text(f"[cache]\n    dir = {cache}\n")
            self("dvc", "checkout", "-q")

    def __call__(self, *command: str, code: int | None = 0) -> str:
        """Run; gives the output. Another exit code than the expected one ends the drill (None: any)."""
        if command[0] == "dvc":
            command = (sys.executable, "-m", *command)
        if command[0] == "skillshot":
            command = (sys.executable, "-m", "skillshot.cli.main", *command[1:])
        done = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)
        if code is not None and done.returncode != code:
            raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
        return done.stdout + ("" if command[1:2] == ("-c",) else done.stderr)

    def state(self, name: str, code: str) -> str:
        """Edit the bundle's builder, run, commit, publish; returns the version."""
        self("git", "checkout", "-q", "main", "--", "src")
        path = self.root / "src/skillshot/bundle/build.py"
        path.write_text(path.read_text() + code)
        self("dvc", "repro", "-q", "evaluate")
        self("git", "commit", "-qam", name, "--allow-empty")
        output = self(sys.executable, "-m", "skillshot.stages.register")
        return output.split("as version ")[1].split(",")[0]


def promotion(repository: Repository, steps: list[tuple[str, str]]) -> None:
    """Worse refused, better promoted, rollback; the served answers follow."""

    def log(step: str, what: str) -> None:
        steps.append((step, what))
        print(f"{step}: {what}", file=sys.stderr, flush=True)

    repository("git", "checkout", "-q", "-b", "drill")
    first = repository.state("fewer", FEWER)
    repository("skillshot", "promote")
    log("first champion", f"version {first}")
    answers = {first: json.loads(repository(sys.executable, "-c", ASK).splitlines()[-1])}
    worse = repository.state("flipped", FLIPPED)
    output = repository("skillshot", "promote", code=1).strip().splitlines()[-1]
    log("worse challenger", output)
    assert json.loads(repository(sys.executable, "-c", ASK).splitlines()[-1]) == answers[first]
    better = repository.state("whole bank", "")
    pair = [
        subprocess.Popen(
            [sys.executable, "-m", "skillshot.cli.main", "promote", better],
            cwd=repository.root, env=repository.environment,
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    ends = [process.communicate()[1].strip().splitlines()[-1] for process in pair]
    log(
        "better challenger, promoted twice at once",
        "; ".join(f"{p.returncode}: {e}" for p, e in zip(pair, ends, strict=True)),
    )
    answers[better] = json.loads(repository(sys.executable, "-c", ASK).splitlines()[-1])
    assert answers[better] != answers[first], "the champion's answers did not change"
    log("rollback", repository("skillshot", "rollback").strip().splitlines()[-1])
    assert json.loads(repository(sys.executable, "-c", ASK).splitlines()[-1]) == answers[first]
    log("served answers", "those of the champion after each move")
    lineage = json.loads(repository("skillshot", "lineage", "champion", "--json").partition("\n}")[0] + "\n}")
    moves = [f"{m['action']} {m['before'] or 'nobody'} -> {m['version']}" for m in lineage["history"]]
    log("history", ", ".join(moves))
    assert moves == [f"promote nobody -> {first}", f"promote {first} -> {better}", f"rollback {better} -> {first}"]
    assert worse not in "".join(moves).split()
    log("on the server", f"runs, complete, versions: {repository(sys.executable, '-c', COUNT).splitlines()[-1]}")
    assert repository(sys.executable, "-c", COUNT).splitlines()[-1] == "3 3 3"


def open_runs(database: Path) -> int:
    """Runs in an MLflow database that another process is writing; 0 as long as it cannot be read."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)) as connection:
            return int(connection.execute("select count(*) from runs").fetchone()[0])
    except sqlite3.Error:
        return 0


def publishing(repository: Repository, steps: list[tuple[str, str]]) -> None:
    """A local database, deleted, killed in the middle, and always one run of the state in the end."""
    repository.environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{repository.root / 'mlflow.db'}"
    register = (sys.executable, "-m", "skillshot.stages.register")
    for step in ("first", "again"):
        repository(*register)
        steps.append((f"local database, {step}", repository(sys.executable, "-c", COUNT).splitlines()[-1]))
    (repository.root / "mlflow.db").unlink()
    process = subprocess.Popen(register, cwd=repository.root, env=repository.environment, start_new_session=True)
    database = repository.root / "mlflow.db"
    while process.poll() is None and open_runs(database) < 3:  # the parent and two children: it is not complete
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    steps.append(("database deleted, register killed", repository(sys.executable, "-c", COUNT).splitlines()[-1]))
    repository("dvc", "repro", "-q")
    steps.append(("dvc repro after", repository(sys.executable, "-c", COUNT).splitlines()[-1]))
    assert [what for step, what in steps if step.startswith(("local", "dvc repro"))] == ["1 1 1"] * 3


def main() -> int:
    """Start, drill, stop, write the report."""
    needed = ("moto", "boto3", "psycopg2", "dvc_s3")
    absent = [n for n in needed if not importlib.util.find_spec(n)] + [
        n for n in ("initdb", "pg_ctl") if not shutil.which(n)
    ]
    if absent or len(sys.argv) != 2:
        raise SystemExit(f"missing: {', '.join(absent)}" if absent else __doc__)
    source = Path(sys.argv[1]).resolve()
    steps: list[tuple[str, str]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skillshot-drill-")))
        database = stack.enter_context(postgres(folder))
        s3, tracking = f"http://127.0.0.1:{port()}", f"http://127.0.0.1:{port()}"
        work = Repository(source, folder / "work", source / ".dvc/cache")
        work.environment["MLFLOW_S3_ENDPOINT_URL"] = s3
        moto = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", s3.rpartition(":")[2]]
        stack.enter_context(serving(moto, s3))
        for bucket in ("mlflow", "dvc"):
            urllib.request.urlopen(urllib.request.Request(f"{s3}/{bucket}", method="PUT")).read()
        server = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
        server += ["--backend-store-uri", database, "--artifacts-destination", "s3://mlflow/skillshot"]
        server += ["--port", tracking.rpartition(":")[2]]
        stack.enter_context(serving(server, f"{tracking}/health", env=work.environment))
        work.environment["MLFLOW_TRACKING_URI"] = tracking
        work("dvc", "remote", "add", "--local", "-d", "store", "s3://dvc/skillshot")
        work("dvc", "remote", "modify", "--local", "store", "endpointurl", s3)
        work("dvc", "push", "-q")
        fresh = Repository(source, folder / "fresh", None)
        shutil.copyfile(work.root / ".dvc/config.local", fresh.root / ".dvc/config.local")
        fresh("dvc", "config", "--local", "cache.dir", str(folder / "empty-cache"))
        fresh("dvc", "pull", "-q")
        steps.append(("fresh clone after dvc pull from S3", fresh("dvc", "status", "evaluate").strip()))
        assert "up to date" in steps[-1][1]
        promotion(work, steps)
        publishing(work, steps)
    print("\n".join(f"{step}: {what}" for step, what in steps))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(dict(steps), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`mlflow models serve` under load: requests per second, latency, errors; and `mlflow models predict` on a batch.

    python benchmarks/bench_serve.py BUNDLE --seconds 20 --clients 4

Everything stays on 127.0.0.1 and ends after the given seconds. Each answer is checked: four distinct demonstrations.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from skillshot.common.environment import configure

configure()

from skillshot.common.io import write_json  # noqa: E402
from skillshot.runtime.bench import quantiles  # noqa: E402

UP = 120  # seconds that a server may take to start


def save(bundle: Path, folder: Path) -> None:
    """The model as in the registry, saved to a folder."""
    import mlflow

    import skillshot
    from skillshot.track.signature import SIGNATURE

    package = Path(skillshot.__file__).parent
    mlflow.pyfunc.save_model(
        str(folder), python_model=str(package / "track/pyfunc.py"), artifacts={"bundle": str(bundle)},
        code_paths=[str(package)], signature=SIGNATURE, pip_requirements=["numpy", "onnxruntime", "tokenizers"],
    )  # fmt: skip


def mlflow_command(*arguments: str) -> list[str]:
    """The command line of this interpreter's mlflow."""
    return [sys.executable, "-m", "mlflow", "models", *arguments, "--env-manager", "local"]


def load(port: int, questions: list[str], seconds: float, clients: int) -> dict[str, Any]:
    """Keep `clients` connections busy for some seconds."""
    times: list[float] = []
    faults: list[str] = []
    end = time.perf_counter() + seconds

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        turn = number
        while time.perf_counter() < end:
            body = json.dumps(
                {"dataframe_split": {"columns": ["question"], "data": [[questions[turn % len(questions)]]]}}
            )
            start = time.perf_counter()
            try:
                connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                times.append(time.perf_counter() - start)
                found = json.loads(text)["predictions"][0] if answer.status == 200 else []
                if len({demonstration["id"] for demonstration in found}) != 4:
                    faults.append(f"{answer.status}: {text[:200]!r}")
            except (OSError, ValueError, http.client.HTTPException) as error:
                faults.append(repr(error))
                connection.close()
            turn += clients
        connection.close()

    workers = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took = time.perf_counter() - start
    return {
        "clients": clients, "seconds": took, "requests": len(times), "per_second": len(times) / took,
        "errors": len(faults), "first_errors": faults[:3], "ms": quantiles([1e3 * t for t in times]) if times else {},
    }  # fmt: skip


def serve(model: Path, questions: list[str], seconds: float, clients: int) -> dict[str, Any]:
    """Start the server, load it, stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = mlflow_command("serve", "-m", str(model), "--host", "127.0.0.1", "--port", str(port))
    start = time.perf_counter()
    log = model.parent / "serve.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env=_path())
    try:
        while not _answers(port):
            if server.poll() is not None or time.perf_counter() - start > UP:
                raise SystemExit(f"the server did not start: {' '.join(command)}\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        up = time.perf_counter() - start
        load(port, questions, 1, 1)  # warm
        return {"up_s": up, **load(port, questions, seconds, clients)}
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def _path() -> dict[str, str]:
    """Environment with this interpreter's folder in PATH, because mlflow starts uvicorn by its name."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def predict(model: Path, questions: list[str], folder: Path) -> dict[str, Any]:
    """`mlflow models predict` on a file of questions."""
    (folder / "in.json").write_text(
        json.dumps({"dataframe_split": {"columns": ["question"], "data": [[question] for question in questions]}})
    )
    command = mlflow_command("predict", "-m", str(model), "-i", str(folder / "in.json"), "-o", str(folder / "out.json"))
    start = time.perf_counter()
    subprocess.run([*command, "-t", "json"], check=True, capture_output=True, env=_path())
    seconds = time.perf_counter() - start
    rows = json.loads((folder / "out.json").read_text())["predictions"]
    if [len(row) for row in rows] != [4] * len(questions):
        raise SystemExit("predict: not four demonstrations for each question")
    return {"questions": len(questions), "seconds": seconds}


def main() -> None:
    """Save, predict, serve, write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--out", default="reports/bench_serve.json")
    options = parser.parse_args()
    from skillshot.runtime.selector import Selector

    selector = Selector.load(options.bundle, "lite")
    asked = [selector.record(row).question.rstrip("?") + " altogether?" for row in range(min(200, len(selector)))]
    with tempfile.TemporaryDirectory() as work:
        model = Path(work) / "model"
        save(options.bundle, model)
        report = {"predict": predict(model, asked, Path(work))}
        report["serve"] = serve(model, asked, options.seconds, options.clients)
    print(json.dumps(report, indent=2))
    write_json(options.out, report)
    if report["serve"]["errors"]:
        raise SystemExit("errors, see the report")


if __name__ == "__main__":
    main()

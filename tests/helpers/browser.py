"""A headless Chromium driven by its DevTools protocol, which needs no driver: https://chromedevtools.github.io."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WAIT = 10.0  # seconds until something must have happened
# no sandbox: a container's root may not have one; nothing is fetched in the background
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps",
)  # fmt: skip


def executable() -> str | None:
    """Path of a Chromium; None where none is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One process; use `page` for each tab, `close` at the end."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [str(executable()), *FLAGS, f"--user-data-dir={home}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        lines = wait_for(lambda: _lines(home / "DevToolsActivePort"), "the browser did not start")
        self._socket = connect(
            f"ws://127.0.0.1:{lines[0]}{lines[1]}", max_size=None, max_queue=None, compression=None, close_timeout=1
        )
        self._count = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Result of a command; events that come before it are kept."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params} | ({"sessionId": session} if session else {})
        self._socket.send(json.dumps(message))
        while (answer := json.loads(self._socket.recv(timeout=WAIT))).get("id") != self._count:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def page(self, language: str = "en", scheme: str = "light") -> Page:
        """A new tab with an own profile."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        return self.tab(context, language, scheme)

    def tab(self, context: str, language: str = "en", scheme: str = "light") -> Page:
        """A new tab of a profile."""
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, context)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.call("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
        return page

    def close(self) -> None:
        """End the process."""
        self._process.kill()  # before the socket: its closing would wait for an answer
        self._process.wait()
        self._socket.close()


class Page:
    """A tab."""

    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self.browser, self.session, self.context = browser, session, context

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Result of a command for this tab."""
        return self.browser.call(method, self.session, **params)

    def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""
        self.evaluate("window.old = true")
        self.call("Page.navigate", url=url)
        self.loaded()

    def loaded(self) -> None:
        """Wait until another document than the one marked as old is complete."""
        self.until("!window.old && document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        """Value of an expression, which may be a promise."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """The first true value of an expression."""

        def tried() -> Any:
            try:
                return self.evaluate(script)
            except RuntimeError:  # the document is being replaced
                return None

        return wait_for(tried, f"never true: {script}")

    def key(self, key: str, code: str = "", text: str = "", modifiers: int = 0) -> None:
        """Press and release a key. modifiers: 2 is Ctrl, 8 is Shift."""
        codes = {"Enter": 13, "Tab": 9, " ": 32, "Escape": 27}
        number = codes.get(key, ord(key.upper()) if len(key) == 1 else 0)
        about = {"key": key, "code": code or key, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        shown = text or {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        self.call("Input.dispatchKeyEvent", type="keyDown", **about, **({"text": shown} if shown else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def write(self, text: str) -> None:
        """Put a text into the field that has the focus, as an input method does."""
        self.call("Input.insertText", text=text)

    def submit(self, script: str) -> None:
        """Run a script that leads to another document, and wait for that."""
        self.evaluate("window.old = true")
        self.evaluate(script)
        self.loaded()

    def press(self, key: str, **options: Any) -> None:
        """Press a key that leads to another document, and wait for that."""
        self.evaluate("window.old = true")
        self.key(key, **options)
        self.loaded()

    def events(self, method: str) -> list[dict[str, Any]]:
        """Parameters of this tab's events of a kind."""
        self.evaluate("0")
        mine = [event for event in self.browser.events if event.get("sessionId") == self.session]
        return [event["params"] for event in mine if event["method"] == method]

    @property
    def errors(self) -> list[str]:
        """What the console reports: exceptions, refused loads, failed requests."""
        thrown = [str(event["exceptionDetails"]) for event in self.events("Runtime.exceptionThrown")]
        entries = [event["entry"] for event in self.events("Log.entryAdded")]
        return thrown + [f"{entry['text']} {entry.get('url', '')}" for entry in entries if entry["level"] == "error"]

    @property
    def requests(self) -> list[str]:
        """Addresses of all requests."""
        return [event["request"]["url"] for event in self.events("Network.requestWillBeSent")]


def wait_for(value: Callable[[], Any], problem: str) -> Any:
    """The first true value of a function."""
    end = time.monotonic() + WAIT
    while not (found := value()):
        if time.monotonic() > end:
            raise TimeoutError(problem)
        time.sleep(0.03)
    return found


def _lines(path: Path) -> list[str]:
    lines = path.read_text().split("\n") if path.exists() else []
    return lines if len(lines) >= 2 else []

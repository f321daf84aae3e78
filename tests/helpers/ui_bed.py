"""For tests of the page to work with: a bank of hostile texts, and a client that sends what a browser sends."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from skillshot.bundle.edit import add
from skillshot.common.io import write_jsonl
from skillshot.common.record import Record
from skillshot.ui.app import create_app
from skillshot.ui.guard import Guard, hosts_of
from skillshot.ui.workspace import Workspace

SITE = "http://127.0.0.1:8765"
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
HOSTILE = (
    SCRIPT, "</textarea><svg/onload=alert(1)>", '"><a href="javascript:alert(1)">x</a>', "{{ 7 * 7 }} {% raw %}",
    "\u202egnp.exe", "-->]]><!--", "한국어 <b>질문</b>: 사과는 몇 개입니까?", "\x00\x1b[31m",
    "' or 1=1 --",
)  # fmt: skip


def hostile_records() -> list[Record]:
    """Rows whose every text is HTML, script, controls or half characters."""
    return [
        Record(
            f"evil-{i} {text}", f"{text} How many pens? {i}", text, f"{i} {text}", context=text,
            options=(text, f"other {i}"), metadata={"skill": i % 2, "note": text, f"field {text}": i % 2},
        )
        for i, text in enumerate(HOSTILE)
    ]  # fmt: skip


def make_hostile(folder: Path) -> Path:
    """Add them to a bundle, and write the files that `fit` writes next to one."""
    add(folder, hostile_records())
    refused = {"reason": f"refused {SCRIPT}", "file": SCRIPT, "line": 7, "row": {"question": f"{SCRIPT} half \ud800"}}
    suspicious = [
        {"id": f"evil-0 {SCRIPT}", "score": 0.9, "reason": SCRIPT},
        {"id": "gone", "score": 0.8, "reason": "no"},
    ]
    folder.with_name(f"{folder.name}.quarantine.jsonl").write_text(json.dumps(refused) + "\n")
    write_jsonl(folder.with_name(f"{folder.name}.suspicious.jsonl"), suspicious)
    return folder


@dataclass
class Tab:
    """A tab of a browser: sends what forms send."""

    client: FlaskClient
    token: str

    @classmethod
    def of(cls, workspace: Workspace, other: Workspace | None = None) -> Tab:
        guard = Guard(hosts_of("127.0.0.1", 8765))
        return cls(create_app(workspace, guard, other).test_client(), guard.token)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, base_url=SITE, **options)

    def post(self, path: str, origin: str = SITE, **fields: Any) -> TestResponse:
        data = {"token": self.token} | fields
        return self.client.post(path, base_url=SITE, data=data, headers={"Origin": origin})

    def keys(self, path: str = "/bank") -> list[str]:
        """Keys of the rows that a page lists, in order."""
        return re.findall(r'name="row" value="([0-9a-f]{24})"', self.get(path).text)

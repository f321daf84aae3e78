"""The pages: one function per address. Every change is a POST that `skillshot.ui.guard` has checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as Answer

from skillshot.common.errors import InputError, SkillshotError
from skillshot.common.record import normalise_question
from skillshot.common.templates import render
from skillshot.runtime.types import MAX_QUESTION
from skillshot.ui.choices import MOST, Selection, choose, reasons
from skillshot.ui.guard import Guard
from skillshot.ui.rows import BankTable
from skillshot.ui.workspace import EDITS, ConflictError, Workspace

PAGE = 25  # rows of a page
QUESTIONS = 20  # that two bundles are compared on at once
SMALL = 10  # rows that are shown of a duplicate group
VIEWS = {
    "ask": "/", "bank": "/bank", "quality": "/quality", "duplicates": "/duplicates", "quarantine": "/quarantine",
    "compare": "/compare", "add": "/add",
}  # fmt: skip
GIVEN = ("question", "context", "options", "rationale", "answer", "id")  # fields of a new row
LANGUAGE = "skillshot_language"  # the cookie


@lru_cache(1)
def texts() -> dict[str, dict[str, str]]:
    """Interface texts by language and name."""
    found: dict[str, dict[str, str]] = json.loads(
        resources.files("skillshot.ui").joinpath("texts.json").read_text(encoding="utf-8")
    )
    return found


def create_app(workspace: Workspace, guard: Guard, other: Workspace | None = None) -> Flask:
    """The WSGI application.

    Args:
        other: a second bundle, to compare with.
    """
    app = Flask("skillshot.ui", static_folder="static")
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = 16 * MAX_QUESTION
    guard.protect(app)
    pages = Pages(workspace, guard, other)

    @app.before_request
    def check() -> Answer | None:
        reason = guard.refusal()
        if reason == "refused_site":  # another site may read the answer: it holds nothing of the bank
            return Response(texts()["en"][reason] + "\n", 403, mimetype="text/plain")
        return pages.error(403, reason) if reason else None

    for name, address in VIEWS.items():
        app.add_url_rule(address, name, getattr(pages, name), methods=["GET", "POST"])
    app.add_url_rule("/row/<key>", "row", pages.row, methods=["GET"])
    app.add_url_rule("/why", "why", pages.why, methods=["POST"])
    app.add_url_rule("/edit", "edit", pages.edit, methods=["POST"])
    app.add_url_rule("/state", "state", pages.state, methods=["GET"])
    app.register_error_handler(SkillshotError, pages.refused)
    app.register_error_handler(HTTPException, pages.missing)
    return app


class Pages:
    """Answers of the server, by address."""

    def __init__(self, workspace: Workspace, guard: Guard, other: Workspace | None) -> None:
        self.workspace, self.guard, self.other = workspace, guard, other

    def ask(self) -> Answer:
        """A question, the chosen examples and those of question similarity."""
        values = request.values
        choice = choose(self.workspace.bundle(), _question(), self._k()) if values.get("q", "").strip() else None
        return self._page("ask", choice=choice, asked=values, k=self._k())

    def why(self) -> Answer:
        """The reasons alone, which a page fetches after it was shown; a whole page without JavaScript."""
        found = reasons(self.workspace.bundle(), _question(), self._k())
        return self._page("reasons" if request.headers.get("X-Part") else "why", "ask", **found)

    def bank(self) -> Answer:
        """Rows by search and label."""
        rows, search, label = self.workspace.rows(), request.values.get("search", ""), request.values.get("label", "")
        shown, paging = self._slice(rows.find(search, label))
        lines = [_line(rows, row) for row in shown]
        return self._page("bank", labels=rows.labels, search=search, label=label, lines=lines, **paging)

    def row(self, key: str) -> Answer:
        """One row, its neighbours by skill, and its edits."""
        rows = self.workspace.rows()
        place = rows.places.get(key)
        if place is None:
            return self.error(404, "missing_page")
        record = rows.bundle.store[place]
        reasons = [line.get("reason") for line in self.workspace.notes("suspicious") if line.get("id") == record.id]
        nearest = [(_line(rows, other), score) for other, score in rows.nearest(place)]
        fields = {name: json.dumps(value, ensure_ascii=False) for name, value in record.metadata.items()}
        return self._page("row", "bank", line=_line(rows, place), fields=fields, nearest=nearest, reasons=reasons)

    def quality(self) -> Answer:
        """Rows that the fit held for wrong, and those marked as wrong."""
        rows, notes = self.workspace.rows(), self.workspace.notes("suspicious")
        shown, paging = self._slice(notes)
        suspicious = [(note, _line(rows, rows.by_id.get(str(note.get("id"))))) for note in shown]
        marked = [_line(rows, row) for row in rows.wrong[:MOST]]
        return self._page("quality", suspicious=suspicious, marked=marked, wrong=len(rows.wrong), **paging)

    def duplicates(self) -> Answer:
        """Near-duplicate groups."""
        rows = self.workspace.rows()
        shown, paging = self._slice(rows.duplicates)
        groups = [(len(group), [_line(rows, row) for row in group[:SMALL]]) for group in shown]
        return self._page("duplicates", groups=groups, **paging)

    def quarantine(self) -> Answer:
        """Rows that the fit refused."""
        shown, paging = self._slice(self.workspace.notes("quarantine"))
        lines = [note | {"text": json.dumps(note.get("row"), ensure_ascii=False, indent=1)} for note in shown]
        return self._page("quarantine", lines=lines, **paging)

    def compare(self) -> Answer:
        """Two bundles on the user's own questions."""
        asked = request.values.get("questions", "")
        questions = [line.strip() for line in asked.splitlines() if line.strip()]
        if len(questions) > QUESTIONS:
            raise InputError(f"{len(questions)} questions: at most {QUESTIONS} at once; give fewer lines")
        found = []
        if self.other is not None:
            pair = self.workspace.bundle(), self.other.bundle()
            for question in questions:
                one, two = (choose(bundle, question, self._k()) for bundle in pair)
                shared = _shared(one, two)
                found.append((question, one, two, shared, sum(row.key in shared for row in one.ours)))
        names = self.workspace.name, self.other.name if self.other else ""
        return self._page("compare", asked=asked, found=found, names=names, k=self._k())

    def add(self) -> Answer:
        """The form of a new row, and its addition."""
        given = {name: request.form.get(name, "") for name in GIVEN}
        if request.method == "GET":
            return self._page("add", given=given, problem="")
        row: dict[str, Any] = {
            name: text for name, text in given.items() if text.strip() or name in ("question", "answer")
        }
        if "options" in row:
            row["options"] = _lines(given["options"])
        try:
            added = self.workspace.add(row)
        except SkillshotError as error:  # what was written stays in the form
            status = 409 if isinstance(error, ConflictError) else 400
            return self._page("add", given=given, problem=str(error), status=status)
        rows = self.workspace.rows()
        place = rows.by_id.get(added)
        return redirect(VIEWS["bank"] if place is None else f"/row/{rows.key(place)}?done=add", 303)

    def edit(self) -> Answer:
        """Change the rows that were ticked, then show the page that asked for it."""
        what = request.form.get("edit", "")
        count = self.workspace.edit(what, request.form.getlist("row"))
        back = urlsplit(request.form.get("back", ""))
        path = back.path if back.path in VIEWS.values() and not back.netloc else VIEWS["bank"]
        kept = [part for part in back.query.split("&") if part and part.partition("=")[0] not in ("done", "count")]
        return redirect(f"{path}?{'&'.join([*kept, urlencode({'done': what, 'count': count})])}", 303)

    def state(self) -> Answer:
        """Which state of the bundle is on disk; an open page asks every few seconds."""
        self.workspace.bundle()
        return jsonify(version=self.workspace.version)

    def refused(self, error: SkillshotError) -> Answer:
        """An error of this package: a page with its message."""
        conflict = isinstance(error, ConflictError)
        return self.error(409 if conflict else 400, "conflict_how" if conflict else "", str(error), conflict)

    def missing(self, error: HTTPException) -> Answer:
        """An address that does not exist, a form that is too large, and the like."""
        code = error.code or 500
        return self.error(code, "missing_page") if code == 404 else self.error(code, "", error.description or "")

    def error(self, status: int, name: str, message: str = "", conflict: bool = False) -> Answer:
        """A page that says what went wrong; a part of a page gets the message alone."""
        if request.headers.get("X-Part"):
            return Response(message or texts()[self._language()].get(name, ""), status, mimetype="text/plain")
        return self._page("error", "", status=status, explained=name, message=message, conflict=conflict)

    def _page(self, template: str, view: str | None = None, status: int = 200, **context: Any) -> Answer:
        language = self._language()
        done, count = request.args.get("done", ""), request.args.get("count", "")
        values = request.args if status == 413 else request.values  # that form is too large to be read
        kept = [(name, value) for name, value in values.items(multi=True) if len(value) <= 2000]
        text = render(
            "skillshot.ui",
            f"{template}.html.j2",
            t=SimpleNamespace(**texts()[language]),
            language=language,
            languages=[
                (
                    code,
                    names["language"],
                    urlencode([*_without(kept, "lang", "token"), ("lang", code)], errors="replace"),
                )
                for code, names in texts().items()
            ],
            view=template if view is None else view,
            views=VIEWS,
            edits=EDITS,
            path=request.path if request.method == "GET" or request.path in VIEWS.values() else "/",
            here=request.full_path,
            done=done if done in (*EDITS, "add") else "",
            done_count=count if count.isdigit() else "",
            token=self.guard.token,
            bundle=self.workspace,
            size=len(self.workspace.bundle().store),
            **context,
        )
        # a bank may hold halves of surrogate pairs, which UTF-8 has not
        response = Response(text.encode("utf-8", "replace"), status, content_type="text/html; charset=utf-8")
        if request.args.get("lang") in texts():
            response.set_cookie(LANGUAGE, language, max_age=365 * 86400, samesite="Strict", httponly=True)
        return response

    def _language(self) -> str:
        wanted = request.args.get("lang") or request.cookies.get(LANGUAGE, "")
        return wanted if wanted in texts() else request.accept_languages.best_match(list(texts()), "en") or "en"

    def _k(self) -> int:
        text = request.values.get("k", "")
        if not text:
            return int(self.workspace.bundle().manifest["select"].get("k", 4))
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
            raise InputError(f"k={text[:20]!r}: expected a whole number from 1 to {MOST}")
        return int(text)

    def _slice(self, items: Sequence[Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        """The items of the page that is asked for, and what its links need."""
        pages = max(1, math.ceil(len(items) / PAGE))
        text = request.values.get("page", "1")
        page = min(pages, max(1, int(text[:9]))) if text.isascii() and text.isdigit() else 1
        kept = _without(list(request.args.items(multi=True)), "page", "done", "count")
        links = {at: "?" + _query([*kept, ("page", at)]) for at in (page - 1, page + 1)}
        paging = {"total": len(items), "page": page, "pages": pages, "links": links}
        return items[(page - 1) * PAGE : page * PAGE], paging


def _line(rows: BankTable, row: int | None) -> Mapping[str, Any] | None:
    """A row as lists show it; None where there is none."""
    return None if row is None else {"key": rows.key(row), "record": rows.bundle.store[row]}


def _question() -> str | Mapping[str, Any]:
    values = request.values
    context, options = values.get("context", "").strip(), _lines(values.get("options", ""))
    if not context and not options:
        return values.get("q", "")
    return {"question": values.get("q", ""), "context": context, "options": options}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _query(pairs: Sequence[tuple[str, Any]]) -> str:
    return urlencode(pairs, errors="replace")


def _without(pairs: Sequence[tuple[str, str]], *names: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in pairs if name not in names]


def _shared(one: Selection, two: Selection) -> set[str]:
    """Keys of the rows whose question both have chosen; the rest of a row may differ."""
    chosen = [{row.key: normalise_question(row.record.question) for row in choice.ours} for choice in (one, two)]
    both = set(chosen[0].values()) & set(chosen[1].values())
    return {key for side in chosen for key, question in side.items() if question in both}

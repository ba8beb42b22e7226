"""A person's browser: cookies, the page that is open, and the fields of its forms."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from werkzeug import Response
from werkzeug.test import create_environ, run_wsgi_app

from smartapp.i18n import COOKIE
from tests.faults.world import APP, Killed, Process, World

_INPUT = re.compile(r"<input\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([a-z-]+)(?:="([^"]*)")?')
_TEXTAREA = re.compile(r'<textarea[^>]*\bname="([^"]+)"[^>]*>\n?(.*?)</textarea>', re.S)


@dataclass(frozen=True)
class Page:
    """What came back from one request."""

    status: int
    source: str
    location: str

    @cached_property
    def text(self) -> str:
        """Return what a person reads on the page, the texts in its fields included."""
        main = self.source.partition("<main")[2].partition(">")[2] or self.source
        values = " ".join(text for text in self.fields.values() if text)
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main))) + " " + values

    @cached_property
    def fields(self) -> dict[str, str]:
        """Return the fields of all forms on the page, as a browser would send them unchanged."""
        found: dict[str, str] = {}
        for tag in _INPUT.findall(self.source):
            given = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag)}
            kind, name = given.get("type", "text"), given.get("name")
            if name and (kind not in ("radio", "checkbox") or "checked" in given):
                found[name] = (
                    f"{found[name]},{given['value']}"
                    if kind == "checkbox" and name in found
                    else given.get("value", "")
                )
        found |= {name: html.unescape(text) for name, text in _TEXTAREA.findall(self.source)}
        found.pop("sketch", None)
        return found


class Browser:
    """One person's browser, whose requests come out at any of the processes."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.cookies: dict[str, str] = {COOKIE: "en"}
        self.at: Process | None = None  # where requests go; None: wherever the balancer sends them
        self.token: dict[str, str] = {}

    def ask(self, process: Process, method: str, path: str, data: Mapping[str, str] | None = None) -> Page | None:
        """Send one request and return the page, None where the process died before it answered."""
        answer = self._send(process, method, path, data)
        if answer is None:
            self.world.note(self.name, f"{method} {_short(path)}: no answer, the app is gone")
            return None
        page = Page(answer.status_code, answer.get_data(as_text=True), answer.headers.get("Location", ""))
        self._take_cookies(answer)
        if "_csrf" in page.fields:
            self.token = {name: page.fields[name] for name in ("_csrf", "_for")}
        self.world.note(self.name, f"{method} {_short(path)} → {page.status} {_short(page.location)}".rstrip())
        return page

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items())}

    def _send(self, process: Process, method: str, path: str, data: Mapping[str, str] | None) -> Response | None:
        """Bring a request to a process and its answer back; None where it died before it answered."""
        if not process.alive:
            process.begin()
            self.world.note(process.name, "starts")
        environ = create_environ(
            path, APP, method=method, data=data, headers=self._headers(), environ_base={"REMOTE_ADDR": "127.0.0.1"}
        )
        try:
            return Response(*self.world.run(process, lambda: run_wsgi_app(process.app, environ, buffered=True)))
        except Killed:
            process.end()
            return None

    def _take_cookies(self, answer: Response) -> None:
        for line in answer.headers.getlist("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)


def _short(path: str) -> str:
    """Return an address without what is long and random in it."""
    return re.sub(r"/l/[\w-]+", "/l/…", re.sub(r"(state|code)=[\w.-]+", r"\1=…", path)) or path

"""People who use the app: each has a browser with one keep-alive connection, signs in, and fills in the HOOP."""

from __future__ import annotations

import asyncio
import json
import re
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

from benchmarks.wire import Connection

INSTRUMENT = "hoop"
QUESTIONS = 12
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_LONGEST = 30.0  # seconds that a browser waits for an answer before its person gives up


@dataclass(slots=True)
class Measured:
    """What was measured: (second of the run, milliseconds) per route, what went wrong, and who got in."""

    started: float = field(default_factory=time.monotonic)
    times: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    signed_in: int = 0
    finished: int = 0

    def of(self, *routes: str, since: float = 0.0) -> list[float]:
        """Return the milliseconds of every request of these routes that began after `since` seconds, sorted."""
        return sorted(took for route in routes for began, took in self.times.get(route, ()) if began >= since)


def percentile(values: list[float], part: float) -> float:
    """Return a percentile of sorted values; 0 of none."""
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0.0


class Person:
    """One person at one browser."""

    def __init__(self, number: int, port: int, issuer: str, measured: Measured) -> None:
        self.number = number
        self.connection = Connection(port)
        self.issuer = issuer
        self.measured = measured
        self.fields: dict[str, str] = {}

    async def ask(self, route: str, method: str, path: str, form: dict[str, str] | None = None) -> str:
        """Ask for a page as `route`, note how long it took, and return where it sends the browser, or its text."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(_LONGEST):
                head, text = await self.connection.ask(method, path, form)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            self.connection.close()
            self.measured.errors.append(f"{route}: {type(error).__name__}")
            raise ConnectionError from error
        took = (time.monotonic() - began) * 1000
        self.measured.times.setdefault(route, []).append((began - self.measured.started, took))
        if head.status >= 400:
            self.measured.errors.append(f"{route}: {head.status}")
            raise ConnectionError
        self.fields = dict(_FIELD.findall(text)) or self.fields
        return head.headers.get("location", "") or text

    async def sign_in(self) -> str:
        """Sign in from the EHR; return the address of the launch."""
        away = await self.ask("launch", "GET", f"/launch?iss={quote(self.issuer, safe='')}&launch=x")
        sent = {name: values[0] for name, values in parse_qs(urlsplit(away).query).items()}
        patient = f"p{self.number}"
        who = {"nonce": sent["nonce"], "patient": patient, "user": f"Patient/{patient}"}
        code = urlsafe_b64encode(json.dumps(who).encode()).decode()
        here = await self.ask("callback", "GET", f"/callback?code={code}&state={sent['state']}")
        self.measured.signed_in += 1
        return urlsplit(here).path

    async def fill_in(self, here: str, think: float, first: int = 1) -> None:
        """Fill in the questionnaire from question `first` on as a browser does, send it in and look at the scores."""
        form = f"{here}questionnaires/{INSTRUMENT}/"
        await self.ask("home", "GET", here)
        await self.ask("intro", "GET", form)
        for number in range(first, QUESTIONS + 1):
            page = f"{form}questions/{INSTRUMENT}-{number:02}"
            await self.ask("question", "GET", page)
            await asyncio.sleep(think)
            answer = {**self.fields, "answer": str(1 + (self.number + number) % 4)}
            await self.ask("autosave", "POST", f"{page}/autosave", answer)
            await self.ask("next", "POST", page, {**answer, "next": "1"})
        await self.ask("review", "GET", f"{form}review")
        await asyncio.sleep(think)
        response = await self.ask("submit", "POST", f"{form}submit", self.fields)
        await self.ask("sent", "GET", _path(response))
        await self.ask("scores", "GET", f"{here}scores/{INSTRUMENT}/")
        self.measured.finished += 1

    async def set_goal(self, here: str) -> None:
        """Look at the plan, choose what to work on, set a goal, and see it."""
        plan = f"{here}plan/"
        await self.ask("plan", "GET", plan)
        await self.ask("domains", "GET", f"{plan}domains")
        await self.ask("save domains", "POST", f"{plan}domains", {**self.fields, "domains": "housing"})
        await self.ask("new goal", "GET", f"{plan}goals/new")
        goal = {**self.fields, "text": "Een moestuin", "domain": "housing"}
        saved = await self.ask("save goal", "POST", f"{plan}goals/new", goal)
        await self.ask("goal", "GET", _path(saved))

    async def use(self, think: float, until: float) -> None:
        """Sign in and fill in, over and over, until the time is over; after an error begin again."""
        while time.monotonic() < until:
            try:
                here = await self.sign_in()
                # Not all at the same question: pages of every sort are asked for at every moment.
                await self.fill_in(here, think, 1 + self.number % QUESTIONS)
                while time.monotonic() < until:
                    await self.fill_in(here, think)
            except ConnectionError:
                await asyncio.sleep(0.5)


def _path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


async def crowd(port: int, issuer: str, *, people: int, think: float, ramp: float, seconds: float) -> Measured:
    """Let so many people use the app at once, arriving evenly over `ramp` seconds; stop after `seconds`."""
    measured = Measured()
    until = measured.started + seconds

    async def arrive(number: int) -> None:
        await asyncio.sleep(ramp * number / people)
        await Person(number, port, issuer, measured).use(think, until)

    everyone = [asyncio.create_task(arrive(number)) for number in range(people)]
    # Nobody waits for those who are still reading.
    await asyncio.wait(everyone, timeout=seconds)
    for one in everyone:
        one.cancel()
    await asyncio.gather(*everyone, return_exceptions=True)
    return measured

"""What a person typed, made fit for a FHIR string without changing its words, and written as FHIR narrative.

A FHIR string may not be empty, may not hold only whitespace, and should hold no control character except tab,
carriage return and line feed. So the rule here, applied once, when a text enters a Plan, and stable from then on:

- a text without any visible character does not count as text: it becomes "";
- vertical tab, form feed and the C1 "next line" (they come along from word processors) become a line feed;
- every other control character is dropped, half a surrogate pair becomes U+FFFD;
- everything else stays exactly as typed: spaces at the ends, blank lines, CR LF, any script, emoji.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

_LINE_ENDS = re.compile("[\x0b\x0c\x85]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Allowed in JSON, but not in XML 1.0, and a narrative is XML.
_NOT_XML = re.compile("[\ufffe\uffff]")
_VISIBLE = re.compile(r"\S")


def typed(text: str) -> str:
    """Return a person's text as FHIR can carry it; applying it twice changes nothing (see the module)."""
    if not _VISIBLE.search(text):
        return ""
    text = _SURROGATE.sub("\ufffd", _CONTROL.sub("", _LINE_ENDS.sub("\n", text)))
    return text if _VISIBLE.search(text) else ""


def first_words(text: str, longest: int = 80) -> str:
    """Return the first line of a text, shortened to `longest` characters, as the display of a reference."""
    line = next((part for part in text.splitlines() if part.strip()), text).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def paragraph(text: str) -> str:
    """Return one XHTML paragraph with the text's own line breaks."""
    lines = _NOT_XML.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "<p>" + "<br/>".join(escape(line, quote=False) for line in lines) + "</p>"


def heading(text: str, level: int = 3) -> str:
    """Return one XHTML heading."""
    return f"<h{level}>{escape(_NOT_XML.sub(chr(0xFFFD), text), quote=False)}</h{level}>"


def narrative(parts: list[str], language: str, status: str) -> dict[str, Any]:
    """Return a FHIR Narrative from XHTML parts.

    `status` is `generated`, or `additional` where it tells more than its resource has.
    """
    opening = f'<div xmlns="http://www.w3.org/1999/xhtml" lang="{language}" xml:lang="{language}">'
    return {"status": status, "div": f"{opening}{''.join(parts)}</div>"}

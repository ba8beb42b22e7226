"""What a server must answer to a write before it counts as stored.

A status of 2xx is a claim, and a gateway, a maintenance page or a mistaken server makes it too. It counts only with
what proves it: the resource, of the type and id that were meant and about the same person, or where it is kept. All
else leaves the write in doubt, which is Unreachable: whoever sent it looks whether it arrived.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mappers.identity import identifiers, identity
from mappers.tolerant import object_in, objects_in, text_in
from questionnaires.fhir import Resource
from smartapp.fhir.http import OutboundError, Reply
from smartapp.fhir.store import Stored, Unreachable, Write

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_LOCATION = re.compile(r"(?:^|/)(?P<type>[A-Z][A-Za-z]{1,63})/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$")
_STATUS = re.compile(r"\s*([1-5][0-9]{2})\b")
_ABOUT = ("subject", "for", "patient")
_FAILED = frozenset({"error", "fatal"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to one write, alone or as an entry of a transaction; `content` is None where there was no body."""

    status: int
    content: Any
    location: str
    etag: str | None

    @classmethod
    def of(cls, reply: Reply) -> Answer:
        """Return the answer to a write that was sent by itself; a body that is not JSON becomes empty content."""
        location = reply.headers.get("Location") or reply.headers.get("Content-Location") or ""
        return cls(reply.status, _content(reply), location, reply.headers.get("ETag"))

    @classmethod
    def of_entry(cls, entry: Mapping[str, Any]) -> Answer:
        """Return what one entry of a transaction's answer says."""
        response = object_in(entry, "response")
        status = _STATUS.match(text_in(response, "status"))
        etag = text_in(response, "etag") or None
        return cls(int(status[1]) if status else 0, entry.get("resource"), text_in(response, "location"), etag)


def written(write: Write, answer: Answer, *, host: str) -> Stored:
    """Return what is stored now. Raises Unreachable where the answer does not carry what it must."""
    type_, content = write.resource["resourceType"], answer.content
    fault = _fault(write, answer)
    if fault:
        raise Unreachable(f"{host} answered the {type_} that was sent to it with {fault}. It will be looked for.")
    if text_in(content, "resourceType") == type_ and text_in(content, "id"):
        return Stored(content, answer.etag or version_tag(content), _created(write, answer.status))
    # The server only says where, or which version: then it is our own content.
    stored = {**write.resource, "id": _id_in(answer.location, type_) or _meant(write)}
    return Stored(stored, answer.etag, _created(write, answer.status))


def written_all(writes: Sequence[Write], bundle: Resource, *, host: str) -> list[Stored]:
    """Return what a transaction stored, in the order sent. Raises Unreachable where one answer is not what it must."""
    entries = objects_in(bundle, "entry")
    if len(entries) != len(writes):
        raise Unreachable(f"{host} answered a transaction of {len(writes)} with {len(entries)} entries.")
    stored = [written(one, Answer.of_entry(entry), host=host) for one, entry in zip(writes, entries, strict=True)]
    turns = {identity(write.resource): number for number, write in enumerate(writes)}
    for number, one in enumerate(stored):
        type_ = one.resource["resourceType"]
        if any(turns.get((type_, each), number) != number for each in identifiers(one.resource)):
            raise Unreachable(f"{host} answered a transaction in another order. What arrived will be looked for.")
    return stored


def version_tag(resource: Resource) -> str | None:
    """Return the tag of a resource by the version in its content, None where it has none."""
    version = text_in(object_in(resource, "meta"), "versionId")
    return f'W/"{version}"' if version else None


def _fault(write: Write, answer: Answer) -> str:
    """Return what is wrong with an answer in a few words, "" where it proves that the write is stored."""
    if not 200 <= answer.status < 300:
        return f"status {answer.status}" if answer.status else "no status"
    if answer.content is not None and not _is_remark(answer.content):
        fault = _fault_of_content(write, answer.content)
        if fault or text_in(answer.content, "id"):
            return fault
    return "" if _says_where(write, answer) else "nothing that says where it is"


def _fault_of_content(write: Write, content: Any) -> str:
    type_ = write.resource["resourceType"]
    if text_in(content, "resourceType") != type_:
        return f"something that is not a {type_}"
    if _about(content) and _about(write.resource) and _about(content) != _about(write.resource):
        return f"a {type_} of another person"
    id_ = text_in(content, "id")
    if id_ and (not ID.fullmatch(id_) or _meant(write) not in ("", id_)):
        return f"a {type_} under another id"
    return ""


def _says_where(write: Write, answer: Answer) -> bool:
    meant = _meant(write)
    if answer.location or not meant:
        found = _id_in(answer.location, write.resource["resourceType"])
        return found != "" and meant in ("", found)
    # A new version of what we named ourselves. Without even that, any machine on the way may have said 200.
    return answer.etag is not None


def _meant(write: Write) -> str:
    """Return the id under which a write has to end, "" where the server chooses."""
    return str(write.resource["id"]) if write.method == "update" else write.new_id or ""


def _created(write: Write, status: int) -> bool | None:
    if status == 201:
        return True
    conditional = write.new_id is not None or write.if_none_exist is not None
    return False if status == 200 and write.method == "create" and conditional else None


def _is_remark(content: Any) -> bool:
    """Tell whether this is an OperationOutcome without failures; some servers send one instead of the content."""
    remark = text_in(content, "resourceType") == "OperationOutcome"
    return remark and not any(text_in(issue, "severity") in _FAILED for issue in objects_in(content, "issue"))


def _about(resource: Any) -> set[str]:
    """Return whom a resource is about by literal reference, as `Type/id`, whatever server the reference names."""
    found = (_LOCATION.search(text_in(object_in(resource, name), "reference")) for name in _ABOUT)
    return {f"{one['type']}/{one['id']}" for one in found if one}


def _id_in(location: str, type_: str) -> str:
    """Return the id that an address ends in, "" where it is not one of a `type_`."""
    try:
        match = _LOCATION.search(urlsplit(location).path)
    except ValueError:  # a server may call anything an address
        return ""
    return match["id"] if match is not None and match["type"] == type_ else ""


def _content(reply: Reply) -> Any:
    if not reply.body.strip():
        return None
    try:
        return reply.json()
    except OutboundError:
        return {}

"""Which roles may open a view."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from smartapp.errors import NotAllowed, NotTogether
from smartapp.i18n import message
from smartapp.storage.launches import Role
from smartapp.web import current, with_client

_P = ParamSpec("_P")
_R = TypeVar("_R")


def role(*allowed: Role) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Let only these roles into a view; anyone else gets a 403 page that says so."""

    def decorate(view: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(view)
        def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            if current.launch().user.role not in allowed:
                raise NotAllowed(_FOR[allowed[0]], code="role")
            return view(*args, **kwargs)

        return guarded

    return decorate


def written_with_client(view: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let the client into a view, and a professional who writes with the client; anyone else gets a 403 page.

    To a professional it says how the two begin. What they save there is confirmed by the client: see `confirming`.
    """

    @functools.wraps(view)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if with_client.may_write():
            return view(*args, **kwargs)
        if current.launch().user.role == "clinician":
            raise NotTogether(_FOR["client"], code="role")
        raise NotAllowed(_FOR["client"], code="role")

    return guarded


_FOR: dict[Role, str] = {
    "client": message("This page is for the person it is about. You signed in with another role."),
    "clinician": message("This page is for the care team. You signed in with another role."),
    "guest": message("You signed in with a role that has no pages here."),
}

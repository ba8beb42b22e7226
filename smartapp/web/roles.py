"""Which roles may open a view."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from smartapp.errors import NotAllowed
from smartapp.i18n import message
from smartapp.storage.launches import Role
from smartapp.web import current

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


_FOR: dict[Role, str] = {
    "client": message("This page is for the person it is about. You signed in with another role."),
    "clinician": message("This page is for the care team. You signed in with another role."),
    "guest": message("You signed in with a role that has no pages here."),
}

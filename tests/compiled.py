"""The form of an address, compiled once for all apps of a run: it was half of making an app, and a run makes many."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from werkzeug.routing import Rule
from werkzeug.routing.converters import BaseConverter
from werkzeug.routing.rules import RulePart

_Compiled = tuple[
    list[RulePart],
    list[tuple[bool, str]],
    dict[str, BaseConverter],
    set[str],
    Callable[..., tuple[str, str]],
    Callable[..., tuple[str, str]],
]


class RuleCompiledOnce(Rule):
    """The form of an address; what is compiled from it follows from its text, and is shared by all apps.

    What builds an address takes its rule as an argument, and nothing changes what was compiled.
    """

    _known: ClassVar[dict[tuple[object, ...], _Compiled]] = {}

    def compile(self) -> None:
        """Take what an equal rule of another app has compiled, or compile it."""
        assert self.map is not None
        key = (
            self.rule, self.subdomain, self.host, repr(self.defaults), self.merge_slashes, self.map.host_matching,
            self.map.sort_parameters,
        )  # fmt: skip
        if key not in self._known:
            super().compile()
            self._known[key] = (
                self._parts, self._trace, self._converters, self.arguments,
                self._build.__func__, self._build_unknown.__func__,  # type: ignore[attr-defined]
            )  # fmt: skip
        self._parts, self._trace, self._converters, self.arguments, build, build_unknown = self._known[key]
        self._build = build.__get__(self, None)
        self._build_unknown = build_unknown.__get__(self, None)

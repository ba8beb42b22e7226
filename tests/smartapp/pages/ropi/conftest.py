"""A place with teams."""

from __future__ import annotations

from tests.smartapp.pages.team.conftest import place

__all__ = ["place"]

"""Scores over time: per instrument a line with its table, the range and the source. Numbers, never verdicts."""

from smartapp.pages.scores.routes import blueprint

__all__ = ["blueprint"]

"""Scores over time: per instrument a line with its table, the range and the source. Numbers, never verdicts."""

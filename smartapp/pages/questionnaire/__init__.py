"""Filling in a questionnaire: one question per page, kept at every answer, sent in as one unit with its scores."""

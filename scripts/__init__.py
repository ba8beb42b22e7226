"""Chores that people and CI share: pictures for the docs, and the tour of all pages that they and the tests take."""

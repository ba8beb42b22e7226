"""Chores that people and CI share, such as making the generated files, the pictures in the docs and the measures."""

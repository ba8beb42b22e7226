"""Whole populations: many responses at once, by several processes or another engine, from a server and back to one."""

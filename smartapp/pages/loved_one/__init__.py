"""Beside somebody: what a client shares with a loved one, what a loved one can do, and support for themselves."""

"""A programme that the client follows: what was, what is now, what comes, and all that can be decided about it."""

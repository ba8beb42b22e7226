"""Measurements that the documentation quotes; each writes a page of its own in docs/."""

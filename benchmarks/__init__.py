"""Measurements that the documentation quotes; each writes its own page in docs/."""

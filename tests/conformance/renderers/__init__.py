"""Other people's form engines compute our scores. Run as `python -m tests.conformance.renderers.run`."""

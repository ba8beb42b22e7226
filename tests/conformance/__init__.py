"""The heavy checks: other people's software judges what we publish and write. Run as `python -m tests.conformance`."""

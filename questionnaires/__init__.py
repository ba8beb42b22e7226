"""What we ask: the instruments and life domains as data, and the code that reads and publishes them."""

__version__ = "0.1.0"
"""Of everything in this repository: the wheel, the FHIR package, our terminology. It is kept on the lowest floor, so
that all may read it; `tests/test_architecture.py` holds the copies in the FSH source equal."""

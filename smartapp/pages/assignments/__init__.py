"""What a clinician asks a client to fill in: asking, seeing what waits, and taking it back."""

from smartapp.pages.assignments.routes import blueprint

__all__ = ["blueprint"]

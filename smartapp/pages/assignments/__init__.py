"""What a clinician asks a client to fill in: asking, seeing what waits, and taking it back."""

"""What a clinician asks a client to fill in."""

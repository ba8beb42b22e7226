"""What Verstel does with what people fill in: who reads it, where it is kept, how to stop, whom to ask."""

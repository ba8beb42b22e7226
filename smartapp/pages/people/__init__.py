"""My people: the client says who is in their circle, what each is to them, and who no longer is."""

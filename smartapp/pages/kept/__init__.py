"""What a person typed into a form that could not be taken, found again at their next sign-in."""

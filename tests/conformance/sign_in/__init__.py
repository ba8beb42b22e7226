"""Authorization servers that strangers wrote sign people in to the app."""

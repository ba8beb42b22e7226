"""One questionnaire on another device: opened once, by who did not sign in, and wiped from there at the end."""

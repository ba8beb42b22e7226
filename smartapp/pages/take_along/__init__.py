"""All of a person's own in one file: to take along, to bring in from elsewhere, and before they leave."""

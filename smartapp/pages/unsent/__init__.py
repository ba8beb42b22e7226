"""What was sent and did not get through: its words, why, and what its author can do."""

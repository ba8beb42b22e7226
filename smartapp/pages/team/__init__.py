"""What clients and staff read of a team, the same for both; and what they write for it."""

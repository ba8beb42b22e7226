"""The ROPI of a team: two auditors score apart, and then agree."""

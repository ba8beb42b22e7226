"""The clinician's one page: the client's own words first, then goals, scores and what is waiting."""

"""My plan: the client's own story, what helps, life domains, goals and steps, in the client's own words."""

"""Links that our pages made, opened by programs of others."""

"""The client's start page: what is waiting, my plan, my scores."""

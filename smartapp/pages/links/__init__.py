"""Sharing a part of one's plan by a link: the client's list of links, and what whoever has one opens."""

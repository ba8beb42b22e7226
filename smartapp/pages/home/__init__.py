"""The client's start page: what is waiting, my plan, my scores."""

from smartapp.pages.home.routes import blueprint

__all__ = ["blueprint"]

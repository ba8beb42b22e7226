"""Signing in: the launch from an EHR or portal, the callback, and signing out."""

from smartapp.pages.sign_in.routes import blueprint, site_blueprint

__all__ = ["blueprint", "site_blueprint"]

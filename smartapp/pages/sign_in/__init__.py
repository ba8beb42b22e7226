"""Signing in: the launch from an EHR or portal, the callback, and signing out."""

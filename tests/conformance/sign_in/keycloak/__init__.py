"""Keycloak signs people in to the app: its release of Maven Central, started by our script."""

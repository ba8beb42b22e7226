"""The shapes of Koppeltaal 2.0: a Task of a domain read and moved, what we do there told, what we offer described.

Pure functions over JSON, as all of `mappers`. Made from the published topics and profiles: docs/koppeltaal.md says from
which, and what is assumed.
"""

"""Histories of people, an EHR and everything that can break between them; see README.md in this folder."""

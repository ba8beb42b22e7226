"""Verstel: the SMART-on-FHIR app, the embedded EHR and the command line."""

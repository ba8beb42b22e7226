"""Everything this process keeps in SQL: sessions, launches, drafts and the audit log, sealed where they name people.

It knows neither FHIR servers nor requests; each table is defined beside the code that reads and writes it.
"""

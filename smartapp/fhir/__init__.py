"""Stores of FHIR resources behind one interface (`store.RecordStore`), and what each of them offers.

`remote` is a server reached over HTTP, `companion` one beside the EHR, `own` our own tables. One floor up,
`smartapp.records` decides which of them a resource goes to.
"""

"""What Verstel promises other systems: FSH source, the compiled FHIR package, examples good and bad.

Mostly data. The code here only fetches HL7's own definitions, compiles the source, and checks resources against the
compiled package without Java. Nothing that handles a request imports it.
"""

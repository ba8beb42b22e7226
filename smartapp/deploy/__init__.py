"""What the commands for integrators do: publish our artefacts on a server, and find out what an EHR accepts."""

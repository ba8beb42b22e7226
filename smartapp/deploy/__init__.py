"""What an integrator's commands do: publish our artefacts onto a server, and find out what an EHR accepts."""

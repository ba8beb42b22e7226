"""CDS Hooks: what an EHR may ask on its own screen, and the cards that say that something is here to read."""

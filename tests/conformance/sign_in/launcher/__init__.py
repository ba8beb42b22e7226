"""The flows of the SMART launcher: at the launcher itself where it is given, else at a stub of ours that says so."""

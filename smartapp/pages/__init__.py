"""One package per page, found by looking in this folder; nothing else lives here."""

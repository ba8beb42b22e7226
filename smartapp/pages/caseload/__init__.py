"""The list of a professional's own clients."""

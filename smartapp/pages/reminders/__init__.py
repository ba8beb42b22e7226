"""Messages that something is ready: what the client chooses, and the pages that a mail leads to."""

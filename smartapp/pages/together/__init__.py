"""Looking together: a conversation as a session, one theme per screen, and the sheet that comes of it."""

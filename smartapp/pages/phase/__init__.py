"""Where am I now: the client marks a phase of recovery, or none, and reads back what they marked before."""

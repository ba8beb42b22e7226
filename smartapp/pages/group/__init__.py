"""One programme for several clients at once, who may follow it together: from the list of a professional's own."""

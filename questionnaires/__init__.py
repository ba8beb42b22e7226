"""What we ask: the instruments and life domains as data, and the code that reads and publishes them."""

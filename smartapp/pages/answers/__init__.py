"""What a client sent in, read by the client and by those who care for them."""

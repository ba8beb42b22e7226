"""Where a browser reads, without a network, what its owner keeps in it; about nobody on our side."""

"""A second engine of accessibility rules over every page of the tour, beside axe (which `make test` runs)."""

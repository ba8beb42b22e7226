"""Living forms: what a person writes in a form that is never finished. One set of pages for every such definition."""

"""One module per subcommand of `verstel`, named after it; each holds a click command called `command`."""

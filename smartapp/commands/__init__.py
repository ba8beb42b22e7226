"""One module per subcommand of `verstel`; the module is named as the command and holds a click command `command`."""

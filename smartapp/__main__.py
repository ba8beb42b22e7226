"""`python -m smartapp` is `verstel`."""

from smartapp.cli import main

if __name__ == "__main__":
    main(prog_name="verstel")

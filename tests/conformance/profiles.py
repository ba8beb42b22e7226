"""Compile the FHIR profiles from their source again, and demand the committed package, file by file."""

import sys

from fhir_profiles.compile import main

if __name__ == "__main__":
    sys.exit(main(["--check"]))

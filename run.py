"""The entry point of the command line: python run.py --help."""

import sys

from cli.app import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m conductor_async`: the command line."""

from __future__ import annotations

import sys

from conductor_async.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``python -m asgid.daemon`` is ``asgid``."""

import sys

from asgid.daemon.cli import main

if __name__ == "__main__":
    sys.exit(main())

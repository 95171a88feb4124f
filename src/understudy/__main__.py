"""`python -m understudy`, where the command itself is not on the path."""

import sys

from understudy.cli import main

sys.exit(main())

"""`python -m pipelines` is the `wholechart` command, for processes that start it by interpreter."""

from __future__ import annotations

from pipelines.cli import main

if __name__ == "__main__":
    main()

"""One file per verb of the `wholechart` command."""

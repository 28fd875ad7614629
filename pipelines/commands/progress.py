"""Progress on a terminal: bars and steps on standard error, and nothing where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Say = Callable[[str], None]


@contextmanager
def steps(first: str, *, quiet: bool = False) -> Iterator[Say]:
    """Give a function that names the step under way: a spinner on a terminal, a line each elsewhere."""
    if quiet:
        yield lambda _: None
        return
    if not sys.stderr.isatty():
        click.echo(first, err=True)
        yield lambda text: click.echo(text, err=True)
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(first) as status:
        yield status.update


@contextmanager
def bar(label: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Give a function that advances a progress bar by so many; silent when quiet or not on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda count: progress.update(task, advance=count)

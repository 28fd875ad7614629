"""Progress on a terminal: bars and steps on standard error, and nothing where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import click


class Say(Protocol):
    """Names the step under way."""

    def __call__(self, text: str, *, passing: bool = False) -> None:
        """Say it; what is `passing` is soon replaced by the next, and left out where lines stay."""


@contextmanager
def steps(first: str, *, quiet: bool = False) -> Iterator[Say]:
    """Give a function that names the step under way: a spinner on a terminal, a line each elsewhere."""
    if quiet or not sys.stderr.isatty():

        def write(text: str, *, passing: bool = False) -> None:
            if not quiet and not passing:
                click.echo(text, err=True)

        write(first)
        yield write
        return
    from rich.console import Console

    with Console(stderr=True).status(first) as status:

        def update(text: str, *, passing: bool = False) -> None:
            status.update(text)

        yield update


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

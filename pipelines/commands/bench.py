"""`wholechart bench`: benchmarks of the checkout, peers and bare baselines beside us in the same run."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub_core.errors import ConfigurationError
from pipelines.commands.options import as_json

if TYPE_CHECKING:
    from benchmarks.measuring import Figure

_CHECKOUT = Path(__file__).parents[2]
_QUICK = 0.2
"""Share of the input of a quick run."""


@click.command(epilog="Example: wholechart bench convert_hl7v2 mllp_ack")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--quick", is_flag=True, help="A fifth of the work; figures go to results/local, which is not committed.")
@as_json
def bench(names: tuple[str, ...], quick: bool, as_json: bool) -> None:
    """Measure, with peers beside us in the same run; figures go to benchmarks/results/. Without a name: everything."""
    from pipelines.commands.progress import steps

    registry, measuring = _of_checkout("registry"), _of_checkout("measuring")
    if unknown := sorted(set(names) - set(registry.BENCHMARKS)):
        known = ", ".join(registry.BENCHMARKS)
        raise ConfigurationError(f"there is no benchmark {unknown[0]}; the benchmarks are {known}")
    figures: list[Figure] = []
    with steps("measuring", quiet=as_json) as say:
        for name in names or registry.BENCHMARKS:
            say(f"{name}: {registry.BENCHMARKS[name]}")
            figure = registry.measure(name, _QUICK if quick else 1.0)
            figure.write(measuring.LOCAL if quick else measuring.RESULTS)
            figures.append(figure)
            if not as_json:
                _print(figure)
    if as_json:
        click.echo(json.dumps({figure.benchmark: dict(figure.results) for figure in figures}))


def _of_checkout(module: str) -> Any:
    """Return a module of `benchmarks/`, which is not part of the installed package.

    Raises:
        ConfigurationError: outside a checkout.
    """
    if not (_CHECKOUT / "benchmarks" / "registry.py").is_file():
        raise ConfigurationError("benchmarks belong to a checkout of the sources; in a clone, run `make bench`")
    return importlib.import_module(f"benchmarks.{module}")


def _print(figure: Figure) -> None:
    """Print each contender, and how it stands to us."""
    ours = figure.results["wholechart"]
    click.echo(f"{figure.benchmark} ({figure.unit})")
    for name, rate in figure.results.items():
        against = "" if name == "wholechart" else f"   wholechart: {ours / rate:,.2f} times this"
        click.echo(f"  {name:34}{rate:>12,.5g}{against}")

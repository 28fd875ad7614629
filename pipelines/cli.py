"""The `wholechart` command: one verb per job, each imported only when it is run, so that `--help` answers at once."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

VERBS = {
    "demo": "Make a small medical group, run its feeds through the whole house, and show what came out.",
    "up": "Run everything: database, worker, listeners, API, dashboards.",
    "status": "Show what runs, how far each feed is, and what is stuck.",
    "doctor": "Look for what is missing or wrong on this machine, and say how to mend it.",
    "ingest": "Take files or folders of any supported format into the record.",
    "pull": "Fetch what a FHIR server exports or finds, from where it was broken off.",
    "convert": "Convert files of any supported format to FHIR R4, without a database.",
    "check": "Validate files of any supported format: every issue with its place.",
    "view": "Run one SQL-on-FHIR view over NDJSON files.",
    "build": "Bring lake, views, marts and the published warehouse up to date.",
    "sql": "Ask the published warehouse a question, read-only.",
    "trace": "Walk from a mart's row to its resources to the bytes that said so.",
    "messages": "Search the message store, look into it, and run messages again.",
    "audit": "Verify the audit trail, and ask it who saw what.",
    "announcements": "Look at what a partner would not take, and send it again.",
    "reconcile": "Compare the practice's rows with the record, and list what differs.",
    "reindex": "Write the search index of stored resources anew.",
    "remap": "Read kept messages by today's mapping, and change what differs.",
    "references": "List what resources refer to that has not arrived.",
    "bench": "Measure, with peers beside us in the same run.",
}


class _Verbs(click.Group):
    """The verbs, known by name and summary; `pipelines.commands.<verb>` is imported when one is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        command: click.Command = getattr(importlib.import_module(f"pipelines.commands.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wholechart")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def wholechart(context: click.Context, debug: bool) -> None:
    """One whole chart per person, from every system of a medical group."""
    context.obj = debug


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit with 0 done, 1 faults found in the data, 2 could not be done."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code: Any = wholechart.main(args=words, prog_name="wholechart", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except Exception as error:  # boundary: what went wrong becomes one line
        if "--debug" in words:
            raise
        click.secho(f"Error: {_one_line(error)}", fg="red", err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def _one_line(error: Exception) -> str:
    """Return what to show of an error: our own are written to be read, of others only the kind is safe."""
    from hub_core.errors import WholechartError

    if isinstance(error, WholechartError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}; run again with --debug before the verb for the traceback"

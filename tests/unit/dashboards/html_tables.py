"""The tables of a page, as a person reads them: titles, cells, and where a cell's link leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from streamlit.testing.v1 import AppTest


@dataclass
class Cell:
    """One cell: what it says and where it leads."""

    text: str = ""
    link: str | None = None


@dataclass
class Table(HTMLParser):
    """One table as parsed."""

    label: str = ""
    lines: list[list[Cell]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "div":
            self.label = given.get("aria-label") or ""
        elif tag == "tr":
            self.lines.append([])
        elif tag in ("td", "th"):
            self.lines[-1].append(Cell())
        elif tag == "a":
            self.lines[-1][-1].link = given["href"]

    def handle_data(self, data: str) -> None:
        if self.lines:
            self.lines[-1][-1].text += data

    def row(self, head: str) -> dict[str, str]:
        """Return the cells of the row with this head by their titles."""
        return {title: cell.text for title, cell in self._row(head)}

    def link(self, head: str, title: str) -> str:
        """Return where the number of a row and column leads."""
        found = next(cell for name, cell in self._row(head) if name == title)
        assert found.link is not None, f"{head}, {title} leads nowhere"
        return found.link

    def heads(self) -> list[str]:
        """Return the heads of all rows."""
        return [line[0].text for line in self.lines[1:]]

    def _row(self, head: str) -> list[tuple[str, Cell]]:
        line = next(line for line in self.lines[1:] if line[0].text == head)
        return [(title.text, cell) for title, cell in zip(self.lines[0], line, strict=True)]


def html_tables(app: AppTest) -> dict[str, Table]:
    """Return the tables of a page by what they are called."""
    found = {}
    for element in app.html:
        if "wc-table" in element.body:
            table = Table()
            table.feed(element.body)
            found[table.label] = table
    return found

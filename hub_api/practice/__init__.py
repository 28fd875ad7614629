"""The JSON API behind the pages: people, charts, feeds."""

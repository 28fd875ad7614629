"""The warehouse brought up to date: what changed is made anew in a copy of the last snapshot, and nothing else.

The way: `changed` finds the resources and replaces their rows of the views, `scope` finds every row of the marts that
may differ by that, `slices` lays out just what those rows are made of, `statements` runs what dbt compiled over it, and
`marts` puts the new rows in the place of the old.
"""

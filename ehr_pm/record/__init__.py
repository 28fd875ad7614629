"""The record: every version of every resource from every source, its change log and its search index."""

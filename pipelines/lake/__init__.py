"""The lake: the record's change log and the envelopes of its messages as Parquet files."""

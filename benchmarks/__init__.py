"""Benchmarks: what the shipped path takes, beside a peer or a bare baseline measured in the same run."""

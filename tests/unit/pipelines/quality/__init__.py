"""Tests of the pipelines room, by folder."""

"""Judges what a feed has landed before anything is built on it."""

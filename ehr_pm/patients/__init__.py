"""Patients: registered once, with whom they belong to and what they agreed to; merged and unmerged without loss."""

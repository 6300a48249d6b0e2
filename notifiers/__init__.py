"""Speaks: knows addresses and words; has never heard of a student."""

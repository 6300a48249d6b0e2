"""Rules tried on the past: reads what is on record, writes what was found; sends nothing and keeps nothing."""

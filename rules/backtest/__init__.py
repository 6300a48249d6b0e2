"""Rules over the past: whom they would have flagged and when, and what became of those children."""

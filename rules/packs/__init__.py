"""Rule files that ship; a configuration names those that are to count, an operator's own rules replace theirs by id."""

SHIPPED = ("statutory", "at-risk", "england", "us-chronic")

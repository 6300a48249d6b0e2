"""Rule tests: a file of children, their marks and what is to be told of them, played on a virtual clock."""

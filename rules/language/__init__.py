"""The language of `when` and `until`: text to a tree, names to facts, comparisons to arrays, and what is always so."""

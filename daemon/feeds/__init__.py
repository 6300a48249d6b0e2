"""Where attendance comes from: one module a source; fetching is I/O, reading is pure."""

"""Group robots: one module a provider, and the channel that knows each robot by its endpoint's name."""

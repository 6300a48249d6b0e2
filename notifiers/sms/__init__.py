"""Text messages: one module a provider."""

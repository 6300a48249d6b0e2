"""The words: templates by channel, kind and language; holds no code."""

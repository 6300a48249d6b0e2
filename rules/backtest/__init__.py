"""Replays history as it became known, by the rules: whom they would have flagged, when, and how often in vain."""

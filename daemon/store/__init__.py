"""The store: the only room that knows SQL; rows become frozen dataclasses or arrays at its wall."""

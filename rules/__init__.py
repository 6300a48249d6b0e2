"""Decides: arrays and frozen dataclasses in, values out; knows no clock, database, network or log."""

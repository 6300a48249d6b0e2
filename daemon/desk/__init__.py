"""Casework of the office: what people do to a case by hand; decides nothing by itself."""

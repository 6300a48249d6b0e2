"""Alembic's folder: the scripts that bring an older store up to date."""

"""Bytes in, values out: no web, no database, no settings object, no clock."""

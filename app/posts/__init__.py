"""Stored documents; knows SQLModel, not HTTP."""

"""Markdown posts in, JSON out."""

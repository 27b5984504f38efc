"""Rendering in processes of its own: what does not end is ended, and what dies takes nothing along."""

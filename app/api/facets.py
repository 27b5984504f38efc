"""Facets as clients see them: each value with the address of the list that it leads to."""

from typing import Any

from fastapi import Request

from app.api.lists import address_of, kept_parameters
from app.documents.normalize import term_key
from app.posts.facets import FacetValue, own_filter

Parameters = list[tuple[str, str]]


def facets_json(request: Request, facets: dict[str, list[FacetValue]], path: str) -> dict[str, Any]:
    """The facets of the list at `path`."""
    kept = kept_parameters(request)
    return {
        facet: [
            {"value": found.value, "count": found.count, "url": address_of(path, _with(kept, facet, found.value))}
            for found in values
        ]
        for facet, values in facets.items()
    }


def _with(kept: Parameters, facet: str, value: str) -> Parameters:
    """The parameters with this value beside the others of its filter; a year is chosen instead of another time."""
    name = own_filter(facet)
    if facet == "year":
        return [*((other, text) for other, text in kept if other != name), (name, value)]
    is_chosen = any(other == name and term_key(text) == term_key(value) for other, text in kept)
    return kept if is_chosen else [*kept, (name, value)]

"""What Schemathesis finds, without what no schema can say."""

from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure

# A value that fits its schema can be refused all the same for these reasons.
UNSAYABLE = {
    "invalid_cursor",  # cursors are opaque
    "cursor_mismatch",
    "invalid_version",  # so are versions
    "invalid_name",  # lengths count in bytes; some names are no posts
    "invalid_slug",
    "unknown_field",  # which fields a front matter has, nobody knows beforehand
    "private_field",
    "query_too_long",  # all parameters together
    "missing_parameter",  # one parameter that needs another
    "empty_file",  # what a document may be
    "malformed_archive",
    "malformed_multipart",
    "malformed_json",  # of a manifest within a form
}
OF_TWO_PARAMETERS = {"give either cursor or page", "this needs q"}
OPAQUE = ("cursor", "min_version", "since")


@schemathesis.hook
def map_case(context: HookContext, case: "Case[Any]") -> "Case[Any]":
    """Right requests without what only an earlier answer could have given; wrong ones as they are."""
    del context
    if case.meta is not None and case.meta.generation.mode.is_positive:
        for name in OPAQUE:
            (case.query or {}).pop(name, None)
    return case


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: "Case[Any]", response: Response) -> bool:
    """Whether a failure counts."""
    del context, case
    problem = response.json() if response.headers["content-type"] == ["application/problem+json"] else {}
    code = problem.get("code")
    if failure.title == "Schema-valid request rejected":
        return code not in UNSAYABLE and problem.get("detail") not in OF_TWO_PARAMETERS
    return not (response.status_code == 503 and code == "version_not_reached")  # as asked for: nobody made it

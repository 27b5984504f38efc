"""What can go wrong, without HTTP.

HonbunError
├── DocumentError       a source that cannot become a document: `finding` names code, line, column, field
├── SourceError         an upload, an archive or a name that cannot be read
│   └── TooLarge        … because it passes a limit
├── QueryError          a filter, sort or cursor that cannot be answered; names the parameter
├── NotFound            no such post
├── Conflict            a slug or name that another post holds; a prune that would take too much
├── PreconditionFailed  If-Match or If-None-Match does not hold
├── RendererUnavailable no process can be started that renders
├── TooSlow             a read that the database was not done with in time
└── DatabaseUnavailable the database is not reachable, not migrated, or full

Each carries a stable `code` in snake_case; `app.api.problems` maps classes to status codes in one table.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark on a source: a warning, or the problem that made it fail.

    Lines and columns count from 1 in the file as received; a column counts code points.
    """

    code: str
    detail: str
    line: int | None = None
    column: int | None = None
    field: str | None = None
    hint: str | None = None


class HonbunError(Exception):
    code: ClassVar[str] = "error"

    def __init__(self, detail: str, *, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = code or self.code
        self.hint = hint


class DocumentError(HonbunError):
    code = "invalid_document"

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.detail, code=finding.code, hint=finding.hint)
        self.finding = finding


class SourceError(HonbunError):
    code = "invalid_source"


class TooLarge(SourceError):
    code = "too_large"


class QueryError(HonbunError):
    code = "invalid_parameter"

    def __init__(self, detail: str, *, parameter: str, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(detail, code=code, hint=hint)
        self.parameter = parameter


class NotFound(HonbunError):
    code = "not_found"


class Conflict(HonbunError):
    code = "conflict"


class PreconditionFailed(HonbunError):
    code = "precondition_failed"


class DatabaseUnavailable(HonbunError):
    code = "database_unavailable"


class TooSlow(HonbunError):
    code = "too_slow"


class RendererUnavailable(HonbunError):
    code = "renderer_unavailable"

"""Alive, and ready."""

from fastapi import APIRouter, Response

from app.api import schemas
from app.api.service import ServiceDep
from app.database import reading
from app.errors import DatabaseUnavailable

router = APIRouter(tags=["Operation"])


@router.get("/healthz")
async def get_health(response: Response) -> schemas.Health:
    """Whether the process answers; it asks nothing else."""
    response.headers["Cache-Control"] = "no-store"
    return schemas.Health(status="ok")


@router.get("/readyz")
def get_readiness(response: Response, service: ServiceDep) -> schemas.Health:
    """Whether the database is reachable and migrated, and the content folder was taken."""
    response.headers["Cache-Control"] = "no-store"
    with reading(service.engine) as connection:
        if not service.is_migrated(connection):
            raise DatabaseUnavailable("the database is not migrated; run `honbun migrate`", code="not_ready")
    if not service.is_ready:
        raise DatabaseUnavailable("the content folder is still being taken", code="not_ready")
    return schemas.Health(status="ready")

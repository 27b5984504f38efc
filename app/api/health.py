"""Alive, and ready."""

from fastapi import APIRouter

from app.api import schemas
from app.api.service import ServiceDep
from app.database import reading
from app.errors import DatabaseUnavailable

router = APIRouter(tags=["Operation"])


@router.get("/healthz")
async def get_health() -> schemas.Health:
    """Whether the process answers; it asks nothing else."""
    return schemas.Health(status="ok")


@router.get("/readyz")
def get_readiness(service: ServiceDep) -> schemas.Health:
    """Whether the database is reachable and migrated, and the content folder was taken."""
    with reading(service.engine) as connection:
        if not service.is_migrated(connection):
            raise DatabaseUnavailable("the database is not migrated; run `honbun migrate`", code="not_ready")
    if not service.is_ready:
        raise DatabaseUnavailable("the content folder is still being taken", code="not_ready")
    return schemas.Health(status="ready")

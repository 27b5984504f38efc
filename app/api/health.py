"""Alive, and ready."""

from fastapi import APIRouter, Response

from app.api import schemas
from app.api.service import ServiceDep

router = APIRouter(tags=["Operation"])


@router.get("/healthz")
async def get_health(response: Response) -> schemas.Health:
    """Whether the process answers; it asks nothing else."""
    response.headers["Cache-Control"] = "no-store"
    return schemas.Health(status="ok")


@router.get("/readyz")
async def get_readiness(response: Response, service: ServiceDep) -> schemas.Health:
    """Whether the database is reachable and migrated, the content folder was taken, and the process is not ending."""
    response.headers["Cache-Control"] = "no-store"
    await service.readiness.check()
    return schemas.Health(status="ready")

import typer


def rerender() -> None:
    """Render again what an older version or other settings rendered."""
    from datetime import UTC, datetime

    from app.cli.reports import progress, remark
    from app.database import open_engine
    from app.posts.report import Result
    from app.posts.rerender import count_stale
    from app.posts.rerender import rerender as run
    from app.rendering.pool import all_cores
    from app.settings import Settings

    settings = Settings.load()
    engine = open_engine(settings.database_url.get_secret_value())
    failed = 0
    try:
        total = count_stale(engine, settings.context)
        with progress("Rendering", total) as advance, all_cores(settings.render_seconds) as renderers:

            def done(result: Result) -> None:
                nonlocal failed
                advance(1)
                if result.problem is not None:
                    failed += 1
                    typer.echo(remark(result.name, result.problem), err=True)

            run(engine, settings.context, now=datetime.now(UTC), on_result=done, parse_each=renderers.finish_each)
    finally:
        engine.dispose()
    typer.echo(f"{total - failed} posts rendered, {failed} failed")
    raise typer.Exit(1 if failed else 0)

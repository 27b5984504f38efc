import typer


def openapi() -> None:
    """Print the OpenAPI document."""
    import orjson

    from app.main import create_app
    from app.settings import Settings

    app = create_app(Settings.load())
    typer.echo(orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))

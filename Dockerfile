# Builds the dependencies in one stage; the other has no build tools and runs as nobody in particular.
FROM python:3.13-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /honbun
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1
COPY pyproject.toml README.md ./
RUN uv sync --no-dev --extra traces --no-install-project
COPY app app
COPY migrations migrations
RUN uv sync --no-dev --extra traces \
    && .venv/bin/python -m compileall -q app migrations

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin honbun \
    && install --directory --owner 10001 --group 10001 /data
COPY --from=build /honbun /honbun
WORKDIR /honbun
ENV PATH=/honbun/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HONBUN_HOST=0.0.0.0 \
    HONBUN_DATABASE_URL=sqlite:////data/honbun.db \
    HONBUN_CONTENT_DIR=
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"HONBUN_PORT\", 8000)}/healthz', timeout=2)"]
CMD ["honbun", "serve"]

"""A real browser, which sees nothing but this machine."""

import os
import shutil
import subprocess
import tempfile

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--virtual-time-budget=20000", "--dump-dom"),
    "--enable-logging=stderr",
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium; .ci/run installs Debian's")


def browsed(address: str) -> tuple[str, str]:
    """What the document there is once its scripts have run, and what the browser had to say of it."""
    assert CHROMIUM
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={home}/profile", address]
        environment = {**os.environ, "HOME": home}
        done = subprocess.run(command, env=environment, capture_output=True, timeout=300, check=True)
    return done.stdout.decode(), done.stderr.decode(errors="replace")

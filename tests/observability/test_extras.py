"""Metrics and tracing without their extra."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "name", "library", "extra"),
    [
        ("metrics", "PrometheusMetrics", "prometheus_client", "prometheus"),
        ("tracing", "Tracing", "opentelemetry", "otel"),
    ],
)
def test_the_error_names_the_missing_extra(module: str, name: str, library: str, extra: str) -> None:
    code = f"""if True:
        import sys
        sys.modules["{library}"] = None
        from conductor_async.observability.{module} import {name}
        try:
            {name}()
        except ValueError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"{name} needs the extra [{extra}]: pip install 'conductor-async[{extra}]'\n"

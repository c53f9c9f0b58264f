"""An S3 server on loopback, with one bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def served() -> Iterator[str]:
    """The URL of its bucket; what reads S3 in this process, and in those that it starts, finds the server."""
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {"ENDPOINT_URL": f"http://{host}:{port}", "ACCESS_KEY_ID": "someone", "SECRET_ACCESS_KEY": "nothing"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**settings, "DEFAULT_REGION": "us-east-1"}.items():
            patch.setenv(f"AWS_{name}", value)
        store = fsspec.filesystem("s3", skip_instance_cache=True)
        bucket = f"s3://corpora-{port}"  # moto has one state for all servers of a process
        store.mkdir(bucket)
        yield bucket
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    server.stop()

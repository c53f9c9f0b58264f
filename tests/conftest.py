"""What tests of several modules share: a Hub on loopback."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def hub() -> Iterator[Any]:
    """A running `Hub` of tests/hub.py; it is not imported by name, as tests/ must not be a place to import from."""
    spec = importlib.util.spec_from_file_location("loopback_hub", Path(__file__).with_name("hub.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.setdefault("loopback_hub", importlib.util.module_from_spec(spec))
    if not hasattr(module, "Hub"):
        spec.loader.exec_module(module)
    with module.Hub() as running:
        yield running

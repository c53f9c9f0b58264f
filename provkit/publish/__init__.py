"""Publishing: a build on the Hugging Face Hub in one commit, and back again byte for byte.

Importing this package loads nothing heavy; the Hub's client comes with the first name that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from provkit.publish.settings import Settings, settings_for

if TYPE_CHECKING:
    from provkit.publish.pulling import Pulled, is_sealed, pull, unseal, whole_in_archive, whole_on_hub
    from provkit.publish.push import Pushed, publish
    from provkit.publish.refusing import Refusal, refusals
    from provkit.publish.release import Release, release_of

__all__ = [
    "Pulled",
    "Pushed",
    "Refusal",
    "Release",
    "Settings",
    "is_sealed",
    "publish",
    "pull",
    "refusals",
    "release_of",
    "settings_for",
    "unseal",
    "whole_in_archive",
    "whole_on_hub",
]

_HOME = {
    "Pulled": "pulling",
    "Pushed": "push",
    "Refusal": "refusing",
    "Release": "release",
    "is_sealed": "pulling",
    "publish": "push",
    "pull": "pulling",
    "refusals": "refusing",
    "release_of": "release",
    "unseal": "pulling",
    "whole_in_archive": "pulling",
    "whole_on_hub": "pulling",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"provkit.publish.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

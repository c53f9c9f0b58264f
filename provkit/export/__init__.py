"""A build in the forms that trainers and evaluations read: OpenAI, TRL, inspect_ai, Alpaca, CUT."""

from provkit.export.forms import FORMS
from provkit.export.run import Exported, export

__all__ = ["FORMS", "Exported", "export"]

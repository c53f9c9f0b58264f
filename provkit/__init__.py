"""provkit: datasets for alignment research with row-level provenance, and attribution of outputs to rows."""

__version__ = "0.1.0"

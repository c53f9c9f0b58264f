"""Alignment drift out of recorded judgements: the share of harmful prompts that a model gives in to, by defence."""

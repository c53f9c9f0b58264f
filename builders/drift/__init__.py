"""Alignment drift: prompts and recorded completions of the user's, each beside a benign twin."""

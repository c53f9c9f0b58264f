"""Builders that look training data up in an index, for defences that train."""

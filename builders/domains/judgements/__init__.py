"""Preferences, binary signals, critiques and labels, made out of rows that are there."""

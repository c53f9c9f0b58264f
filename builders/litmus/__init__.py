"""LITMUS sets: matched safe and unsafe statements over seven axioms, written here or composed from public data."""

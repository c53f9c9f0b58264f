"""Builders of rubric variants, of pairs to judge, and of preferences that a rubric labels."""

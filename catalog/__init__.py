"""Recipes, policies, rubrics and axioms as YAML, shipped with the package."""

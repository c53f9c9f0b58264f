"""Judge rubrics: their files, verdicts under them, how far an edited rubric drifts, and the search for such edits."""

"""Values that every other part uses: resource ids, times, names, tags and how they are read, reason codes, verdicts."""

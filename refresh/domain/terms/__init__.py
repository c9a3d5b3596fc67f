"""Values that every other part uses: resource ids, times, names, tags, reasons, verdicts."""

"""What touches Azure on behalf of an orchestration: thin, read, decide, act, return one record."""

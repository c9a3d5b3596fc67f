"""The orchestration that deletes what retention chose."""

"""The stories, by subject."""

"""The Event Grid function."""

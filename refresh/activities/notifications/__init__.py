"""The activity that publishes an event to the outcome topic."""

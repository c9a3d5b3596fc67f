"""How a call is retried, paced, and found to come too late."""

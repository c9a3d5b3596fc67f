"""What orchestrations share: calls of the dispatcher, notices, bulk work."""

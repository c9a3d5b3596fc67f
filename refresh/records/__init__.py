"""What crosses Durable: names of functions, ids of instances, and records as plain JSON."""

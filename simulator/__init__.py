"""A simulated Azure on loopback: ARM, Resource Graph, identity, Event Grid, a durable hub and a Functions host."""

"""The app's settings: one table, read once, every fault reported together."""

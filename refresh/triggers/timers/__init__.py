"""The timer functions."""

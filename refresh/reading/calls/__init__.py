"""Retries and pace of calls, and the check for an activity that runs too late."""

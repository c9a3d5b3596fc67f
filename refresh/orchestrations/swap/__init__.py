"""Looks and swaps: one look at a time, one orchestration for each swap, one for a bulk run."""

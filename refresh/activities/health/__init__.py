"""The health check of a swap: the state before the stop, the watch after the start, the probe."""

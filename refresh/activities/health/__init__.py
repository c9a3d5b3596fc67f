"""What the health activities of a swap share: the state before the stop, the watch after the start, the probe."""

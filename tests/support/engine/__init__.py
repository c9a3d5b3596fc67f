"""Runs stories (small scripts of client calls) on the simulator's hub and on Microsoft's engine; stores the answers."""

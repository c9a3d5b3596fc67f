"""Runs small stories (scripts of client calls) on the simulator's hub and on Microsoft's engine, and stores the answers."""

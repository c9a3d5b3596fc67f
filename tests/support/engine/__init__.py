"""Small stories played on the simulator's hub and on Microsoft's engine, and what they come to, as data."""

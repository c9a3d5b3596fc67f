"""Where the outside world comes in: events, timers, HTTP."""

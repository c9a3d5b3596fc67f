"""The triggers of the app: events, timers, HTTP."""

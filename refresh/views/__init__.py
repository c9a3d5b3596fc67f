"""Pure functions from records to what people see, for the HTTP API and the timers."""

"""Pure decisions: no clock, no environment, no logging, no Azure."""

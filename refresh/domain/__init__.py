"""Pure decisions: values in, values with a reason out. Standard library only; no clock, no logging, no Azure SDK."""

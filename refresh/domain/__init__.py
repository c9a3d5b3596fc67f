"""Pure decisions: values in, values with a reason out.

The standard library only: no clock, no environment, no logging, no Azure SDK.
"""

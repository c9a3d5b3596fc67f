"""Event Grid: what a write on ARM tells the world, and how the world is made to hear it."""

from simulator.eventgrid.broker import EventGrid
from simulator.eventgrid.chaos import Chaos
from simulator.eventgrid.filters import DEFAULT, Filters

__all__ = ["DEFAULT", "Chaos", "EventGrid", "Filters"]

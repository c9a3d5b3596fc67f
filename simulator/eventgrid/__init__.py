"""Event Grid: makes the events of writes on ARM and delivers them; accepts events for a custom topic."""

from simulator.eventgrid.broker import EventGrid
from simulator.eventgrid.chaos import Chaos
from simulator.eventgrid.filters import DEFAULT, Filters

__all__ = ["DEFAULT", "Chaos", "EventGrid", "Filters"]

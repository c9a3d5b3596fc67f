"""Everything that is drawn in a test run is drawn from fixed seeds."""

from tests.support.chaos.drawing import FIXED, draw_from

draw_from(FIXED)

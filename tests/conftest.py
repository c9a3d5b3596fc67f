"""Everything that is drawn in a test run is drawn from fixed seeds."""

from tests.support.drawing import FIXED, draw_from

draw_from(FIXED)

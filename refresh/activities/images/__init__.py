"""Activities that build, watch, check and publish image versions."""

"""Activities of the self-check: each asks one part of the platform and reports what it found."""

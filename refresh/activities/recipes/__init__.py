"""Activities that build a VM from a recipe, capture it, and prove a version on a throw-away VM."""

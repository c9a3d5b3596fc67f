"""Image definitions and versions: sources, publishing, replication and the choice of a version."""

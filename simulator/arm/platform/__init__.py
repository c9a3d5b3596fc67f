"""Resource groups, tags, network interfaces, Resource Health and other small providers."""

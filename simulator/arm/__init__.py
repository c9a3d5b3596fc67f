"""The simulated Azure Resource Manager: one front end, one store, one provider per resource type."""

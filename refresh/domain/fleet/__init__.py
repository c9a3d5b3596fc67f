"""How fresh the fleet's VMs are."""

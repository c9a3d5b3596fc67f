"""Facts about VMs for a decision: the VM, its surroundings, the app's rights, and what the dispatcher state has."""

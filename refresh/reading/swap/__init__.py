"""Facts about VMs for a decision: the VM, the preflight facts, the app's rights, and what the dispatcher state has."""

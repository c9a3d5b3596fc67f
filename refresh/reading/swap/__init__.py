"""Facts about VMs for a decision: the VM, its surroundings, rights, and what the dispatcher remembers."""

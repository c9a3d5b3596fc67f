"""What happens inside a VM: boot, cloud-init, serial log."""

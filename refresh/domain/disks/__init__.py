"""The image that a VM's monthly disk is made from, and the ARM body of the disk."""

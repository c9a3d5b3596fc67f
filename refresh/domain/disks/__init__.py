"""Which image a VM's monthly disk is made from, and the disk that is asked for."""

"""The age of VMs' OS disks and how far they are behind the latest image version."""

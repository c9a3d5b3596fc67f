"""Lists of VMs and disks by subscription."""

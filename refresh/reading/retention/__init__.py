"""What is found before anything is deleted: disks, versions, holders, orphans."""

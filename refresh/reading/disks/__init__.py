"""Plans of a month's disks and tags. Nothing here changes anything in Azure."""

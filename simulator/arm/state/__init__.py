"""State that several providers share: attachments, contents of disks, sizes, replication."""

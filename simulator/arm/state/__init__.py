"""State that several providers share: attachments, disk contents, sizes, replication."""

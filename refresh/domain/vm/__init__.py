"""The facts about one VM, the disk that its tags name (`terms.vm_tags` reads the tags), and warnings before a swap."""

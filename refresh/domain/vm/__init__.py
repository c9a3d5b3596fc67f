"""The facts about one VM, the disk that its tags name, and warnings before a swap."""

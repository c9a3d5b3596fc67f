"""The facts about one VM, the disk that its tags ask for, and warnings before a swap."""

"""The decision about one VM, the plan of its swap, blame, and admission to the queue."""

"""The decision about one VM, the plan of its swap, what a failed step proves, and admission to the queue."""

"""Parts that every resource provider of the simulator uses: ids, store, operations, errors, faults, limits."""

"""The checks before downtime; their reasons are in `terms.swap_reason`, the facts in `vm.preflight_facts`."""

"""Access checks: roles, linked rights, locks."""

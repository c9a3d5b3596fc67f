"""Who may do what: roles, linked rights, locks."""

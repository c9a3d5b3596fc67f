"""What a self-check concludes from rights and registrations."""

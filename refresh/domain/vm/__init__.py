"""What is known of one VM and what its tags ask for."""

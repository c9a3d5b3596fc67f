"""Recipe files, temporary groups and plans of recipe builds."""

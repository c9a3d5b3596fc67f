"""Everything that crosses Durable: function names, instance ids, and records as plain JSON."""

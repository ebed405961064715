"""The checks that need no host: what the inventory says, and the source that it names."""

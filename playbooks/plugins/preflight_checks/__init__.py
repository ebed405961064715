"""The checks of a deployment that need no host: what the inventory says, and the source it names."""

"""The admin's sessions: how they are kept, and where a given one is."""

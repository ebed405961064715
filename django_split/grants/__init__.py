"""What main may do in the database: derived from the plan, listed, and granted on PostgreSQL."""

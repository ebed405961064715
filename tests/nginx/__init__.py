"""A real nginx on the rendered configuration, in front of gunicorns that say who they are."""

"""The Django app that main's settings put first: stand-ins for what main does without."""

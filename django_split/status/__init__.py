"""How a site is on this host: releases, which serves, since when, by whom, and each part's health.

It runs as root with the system's Python, from a copy that only root writes: a release's own
virtualenv is built by an unprivileged user and would be the wrong thing for root to run. So these
files use the standard library alone and import nothing else of django_split.
"""

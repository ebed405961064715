"""Settings modules for use without Ansible. The environment's DJANGO_SPLIT_PLAN names the plan."""

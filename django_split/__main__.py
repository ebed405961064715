from __future__ import annotations

import sys

from django_split.cli import main

sys.exit(main())

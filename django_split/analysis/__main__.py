"""The analysis process: `python -m django_split.analysis REQUEST ANSWER`, both JSON files.

The answer goes into a file, because a site may print whatever it likes while it is set up.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main(request_path: str, answer_path: str) -> None:
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    Path(answer_path).write_text(json.dumps(_answer(request)), encoding="utf-8")


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    from django_split.analysis.deployment import Deployment, DeploymentError
    from django_split.analysis.failure import describe

    module = request["settings"]
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    try:
        deployment = Deployment.read(request["deploy"], default_site=module.partition(".")[0])
        import django
        from django.conf import settings

        # The base's log files may lie in the source, where the release is not writable; the plan
        # moves them, and the instances' own check sets logging up.
        settings.LOGGING_CONFIG = None
        django.setup()
        # The URLconf is looked at as an instance will have it: sites add patterns of their own
        # under DEBUG.
        settings.DEBUG = False
        from django_split.analysis.survey import survey

        return {"plan": survey(module, deployment).data()}
    except DeploymentError as error:
        return {"bad": str(error)}
    except (Exception, SystemExit) as error:
        return {"broken": describe(error, module)}


if __name__ == "__main__":
    main(*sys.argv[1:])

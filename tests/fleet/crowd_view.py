"""A page that takes POST and as long as it is told. Tests put it into a site's source."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

EDITION = "edition 0."


@csrf_exempt
def view(request: HttpRequest) -> HttpResponse:
    """What has been read, and of which edition it was."""
    time.sleep(min(float(request.GET.get("sleep", 0)), 10))
    return HttpResponse(f"{EDITION} read {len(request.body)}")

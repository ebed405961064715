from __future__ import annotations


def hosts(get_response):
    """As django-hosts does: another URLconf for another name."""

    def middleware(request):
        if request.get_host().startswith("backoffice."):
            request.urlconf = "desk.backoffice_urls"
        return get_response(request)

    return middleware

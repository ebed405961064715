class Visits:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.session["visits"] = request.session.get("visits", 0) + 1
        return self.get_response(request)


def seen(request):
    request.session.setdefault("seen", "today")
    return {}

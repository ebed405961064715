class Cart:
    def __init__(self, request):
        self.session = request.session
        self.content = self.session.get("cart", {})

    def add(self, thing):
        self.content[thing] = 1
        self.save()

    def save(self):
        self.session["cart"] = self.content


class Counter:
    def __init__(self, session):
        self.kept = session

    def count(self):
        self.kept["count"] = self.kept.get("count", 0) + 1


class Basket:
    """A middleware hangs it on the request."""

    def __init__(self, request):
        self.request = request

    def put_in(self, thing):
        self.request.session["basket"] = thing


def mark(request, name):
    request.session[name] = True


def keep(store, name):
    store[name] = True


class Restriction:
    def mark_as_passed(self, request):
        request.session["passed"] = True


class Marker:
    def mark(self, request):
        mark(request, "marked")


marker = Marker()

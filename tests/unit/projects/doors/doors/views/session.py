"""Each keeps something in the session."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.views.generic import FormView, TemplateView, View

from doors import cart as carts
from doors.cart import Cart, Counter, keep


def sets(request):
    request.session["cart"] = []
    return HttpResponse()


def deletes(request):
    del request.session["cart"]
    return HttpResponse()


def adds(request):
    request.session["count"] += 1
    return HttpResponse()


def deeper(request):
    request.session["cart"]["paper"] = 1
    return HttpResponse()


def pops(request):
    request.session.pop("cart", None)
    return HttpResponse()


def by_default(request):
    request.session.setdefault("cart", []).append(1)
    return HttpResponse()


def expires(request):
    request.session.set_expiry(0)
    return HttpResponse()


def modified(request):
    request.session["cart"].append(1)
    request.session.modified = True
    return HttpResponse()


def named(request):
    session = request.session
    session["cart"] = 1
    return HttpResponse()


def in_two(request):
    session, other = request.session, 1
    session.update({"cart": other})
    return HttpResponse()


def with_getattr(request):
    getattr(request, "session", {})["cart"] = 1
    return HttpResponse()


async def asynchronous(request):
    await request.session.aset("cart", 1)
    return HttpResponse()


def called(request):
    carts.mark(request, "cart")
    return HttpResponse()


def given(request):
    keep(request.session, "cart")
    return HttpResponse()


def made(request):
    cart = Cart(request)
    cart.add("paper")
    return HttpResponse()


def made_inside(request):
    from doors.cart import Cart as Own

    Own(request).add("paper")
    return HttpResponse()


def made_of_a_session(request):
    Counter(request.session).count()
    return HttpResponse()


def of_an_object(request):
    carts.marker.mark(request)
    return HttpResponse()


def of_the_request(request):
    request.basket.put_in("paper")
    return HttpResponse()


def of_a_row(request):
    restriction = get_object_or_404(object)
    restriction.mark_as_passed(request)
    return HttpResponse()


def inside(request):
    def later():
        request.session["cart"] = 1

    later()
    return HttpResponse()


def after_a_redirect_of_members(request):
    if request.user.is_authenticated:
        return HttpResponse()
    request.session["cart"] = 1
    return render(request, "page.html")


class InGet(View):
    def get(self, request):
        request.session["cart"] = 1
        return HttpResponse()


class InMethod(TemplateView):
    def get_context_data(self, **kwargs):
        self.request.session["last"] = 1
        return super().get_context_data(**kwargs)


class WithCart(TemplateView):
    @property
    def cart(self):
        return Cart(self.request)


class Mixin:
    def dispatch(self, request, *args, **kwargs):
        request.session["seen"] = 1
        return super().dispatch(request, *args, **kwargs)


class WithMixin(Mixin, TemplateView):
    pass


class Form:
    def __init__(self, *args, request=None, **kwargs):
        self.request = request

    def save(self):
        self.request.session["form"] = 1


class WithForm(FormView):
    form_class = Form


class Decorated:
    def __init__(self, view):
        self.view = view

    def __call__(self, request):
        request.session["seen"] = 1
        return self.view(request)


class Wizard(View):
    storage_name = "formtools.wizard.storage.session.SessionStorage"


urlpatterns = [
    path("sets/", sets),
    path("deletes/", deletes),
    path("adds/", adds),
    path("deeper/", deeper),
    path("pops/", pops),
    path("by-default/", by_default),
    path("expires/", expires),
    path("modified/", modified),
    path("named/", named),
    path("in-two/", in_two),
    path("with-getattr/", with_getattr),
    path("asynchronous/", asynchronous),
    path("called/", called),
    path("given/", given),
    path("made/", made),
    path("made-inside/", made_inside),
    path("made-of-a-session/", made_of_a_session),
    path("of-an-object/", of_an_object),
    path("of-the-request/", of_the_request),
    path("of-a-row/", of_a_row),
    path("inside/", inside),
    path("after-a-redirect/", after_a_redirect_of_members),
    path("in-get/", InGet.as_view()),
    path("in-method/", InMethod.as_view()),
    path("with-cart/", WithCart.as_view()),
    path("with-mixin/", WithMixin.as_view()),
    path("with-form/", WithForm.as_view()),
    path("decorated/", Decorated(named)),
    path("wizard/", Wizard.as_view()),
]

"""Each signs in or out, registers, or sets a password."""

import functools

from django import forms
from django.contrib import admin, auth
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import login as auth_login
from django.contrib.auth import update_session_auth_hash, views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.generic import CreateView, FormView, View

from doors import entrance


class Enter(views.LoginView):
    template_name = "page.html"


class EnterForm(auth_forms.AuthenticationForm):
    pass


class ByForm(FormView):
    form_class = EnterForm


class ByGivenForm(FormView):
    pass


class Register(CreateView):
    form_class = auth_forms.UserCreationForm


class SignUpForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ()

    def save(self, commit=True):
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        return user


class BySignUpForm(CreateView):
    form_class = SignUpForm


def own(request):
    user = auth.authenticate(request, username="", password="")
    if user is not None:
        auth_login(request, user)
        return redirect("/")
    if request.user.is_authenticated:
        return redirect("/")
    return render(request, "page.html")


def by_module(request):
    auth.logout(request)
    return redirect("/")


def imported_inside(request):
    from django.contrib.auth import login

    login(request, None)
    return HttpResponse()


def imported_inside_by_module(request):
    import django.contrib.auth as a

    a.logout(request)
    return HttpResponse()


@login_required
def change(request):
    update_session_auth_hash(request, request.user)
    return HttpResponse()


def with_form(request):
    form = auth_forms.SetPasswordForm(request.user, request.POST or None)
    return render(request, "page.html", {"form": form})


def through_a_function(request):
    return entrance.enter(request)


def through_a_class(request):
    entrance.Entrance(request).open()
    return HttpResponse()


def creates(request):
    User.objects.create_user("name")
    return HttpResponse()


def hands_over(request):
    return views.LoginView.as_view(template_name="page.html")(request)


class OnPost(View):
    def post(self, request):
        self.enter(None)
        return HttpResponse()

    def enter(self, user):
        auth_login(self.request, user)


async def asynchronous(request):
    await auth.alogin(request, None)
    return HttpResponse()


def wrapped(view):
    def inner(request):
        return view(request)

    return inner


urlpatterns = [
    path("django/", views.LoginView.as_view()),
    path("out/", views.LogoutView.as_view()),
    path("reset/", views.PasswordResetView.as_view()),
    path("reset/<uidb64>/<token>/", views.PasswordResetConfirmView.as_view()),
    path("hidden/", wrapped(views.LoginView.as_view())),
    path("admins/", admin.site.login),
    path("enter/", Enter.as_view()),
    path("by-form/", ByForm.as_view()),
    path("by-given-form/", ByGivenForm.as_view(form_class=auth_forms.PasswordChangeForm)),
    path("register/", Register.as_view()),
    path("by-sign-up-form/", BySignUpForm.as_view()),
    path("own/", own),
    path("partial/", functools.partial(own)),
    path("by-module/", by_module),
    path("imported-inside/", imported_inside),
    path("imported-inside-by-module/", imported_inside_by_module),
    path("change/", change),
    path("with-form/", with_form),
    path("through-a-function/", through_a_function),
    path("through-a-class/", through_a_class),
    path("creates/", creates),
    path("hands-over/", hands_over),
    path("on-post/", OnPost.as_view()),
    # Since Django 5.0.
    *([path("asynchronous/", asynchronous)] if hasattr(auth, "alogin") else []),
]

"""A view's URL says what should be found in it: /private/members/."""

from django.contrib import admin
from django.urls import include, path
from rest_framework.authtoken.views import obtain_auth_token

from service import views
from service.views import AnonymousModels, Chosen, Models, Various

READ = {"get": "list"}
CHANGE = {"get": "retrieve", "put": "update"}

urlpatterns = [
    path("admin/", admin.site.urls),
    path("private/members/", views.Members.as_view()),
    path("private/admins/", views.Admins.as_view()),
    path("private/staff/", views.Staff.as_view()),
    path("private/staff-too/", views.StaffToo.as_view()),
    path("private/both/", views.Both.as_view()),
    path("private/writes/", views.Writes.as_view()),
    path("private/owned/<int:pk>/", views.Owned.as_view()),
    path("private/owned-by-one/<int:pk>/", views.OwnedByOne.as_view()),
    path("private/models/", Models.as_view(READ)),
    path("private/anonymous-models/<int:pk>/", AnonymousModels.as_view(CHANGE)),
    path("private/various/", Various.as_view({"get": "private"}, **Various.private.kwargs)),
    path("private/chosen/<int:pk>/", Chosen.as_view(CHANGE)),
    path("private/function/", views.members),
    path("login/in/", views.Login.as_view()),
    path("login/register/", views.Register.as_view()),
    path("login/pages/", include("rest_framework.urls")),
    path("session/wizard/", views.Wizard.as_view()),
    path("session/keeps/", views.Keeps.as_view()),
    path("session/function/", views.keeps),
    path("session/various/", Various.as_view({"get": "keeps"})),
    path("user/with-token/", views.WithToken.as_view()),
    path("user/with-password/", views.WithPassword.as_view()),
    path("public/view/", views.Base.as_view()),
    path("public/changed/", views.Changed.as_view()),
    path("public/either/", views.Either.as_view()),
    path("public/keyed/", views.Keyed.as_view()),
    path("public/closed/", views.Closed.as_view()),
    path("public/read-only/", views.ReadOnly.as_view()),
    path("public/owned-to-read/<int:pk>/", views.OwnedToRead.as_view()),
    path("public/anonymous-models/", AnonymousModels.as_view(READ)),
    path("public/various/", Various.as_view({"get": "public"})),
    path("public/various-list/", Various.as_view(READ)),
    path("public/chosen/", Chosen.as_view(READ)),
    path("public/function/", views.public),
    path("public/token/", obtain_auth_token),
    path("packages/allauth/", include("allauth.urls")),
    path("packages/oidc/", include("mozilla_django_oidc.urls")),
    path("packages/registration/", include("registration.backends.default.urls")),
    path("packages/social/", include("social_django.urls")),
    path("", views.api.urls),
]

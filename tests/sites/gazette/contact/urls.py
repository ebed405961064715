from django.urls import path

from . import views

app_name = "contact"

urlpatterns = [
    path("", views.LetterView.as_view(), name="letter"),
]

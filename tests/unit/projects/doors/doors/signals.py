from django.contrib.auth.signals import user_logged_in


def remember(sender, request, **kwargs):
    request.session["came_from"] = request.META.get("HTTP_REFERER")


user_logged_in.connect(remember)

from django.apps import AppConfig


class DoorsConfig(AppConfig):
    name = "doors"

    def ready(self):
        from doors import signals  # noqa: F401

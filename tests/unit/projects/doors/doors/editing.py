from django.contrib import admin


class GroupAdmin(admin.ModelAdmin):
    """Its views are served by the admin's instance."""

    def change_view(self, request, *args, **kwargs):
        request.session["changed"] = 1
        return super().change_view(request, *args, **kwargs)

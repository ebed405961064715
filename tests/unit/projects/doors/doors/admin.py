from django.contrib import admin
from django.contrib.auth.models import Group

from doors.editing import GroupAdmin

admin.site.unregister(Group)
admin.site.register(Group, GroupAdmin)


def choose(modeladmin, request, queryset):
    request.session["chosen"] = 1

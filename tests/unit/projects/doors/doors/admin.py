def choose(modeladmin, request, queryset):
    request.session["chosen"] = 1

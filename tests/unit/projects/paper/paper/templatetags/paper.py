from __future__ import annotations

from django import template

register = template.Library()


@register.inclusion_tag("who.html", takes_context=True)
def who(context):
    return {"user": context["user"], "messages": context["messages"]}

from __future__ import annotations

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime


class CalendarForm(forms.Form):
    day = forms.SplitDateTimeField(widget=AdminSplitDateTime())

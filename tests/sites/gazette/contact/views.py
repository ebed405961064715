from __future__ import annotations

from typing import Any

from django.contrib.messages.views import SuccessMessageMixin
from django.urls import reverse_lazy
from django.views.generic import CreateView

from .forms import LetterForm


class LetterView(SuccessMessageMixin, CreateView):
    form_class = LetterForm
    template_name = "contact/letter.html"
    success_url = reverse_lazy("news:home")
    success_message = "Thank you, %(name)s. The editor reads every letter."

    def get_initial(self) -> dict[str, Any]:
        user = self.request.user
        if not user.is_authenticated:
            return super().get_initial()
        return {"name": user.get_full_name(), "email": user.email}

from django import forms

from .models import Letter


class LetterForm(forms.ModelForm):
    class Meta:
        model = Letter
        fields = ["name", "email", "subject", "text"]
        labels = {"name": "Your name", "email": "Your e-mail address", "text": "Your letter"}
        widgets = {"text": forms.Textarea(attrs={"rows": 9})}

from django import forms


class SearchForm(forms.Form):
    q = forms.CharField(
        label="Search",
        min_length=2,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Search the Gazette"}),
    )

"""What a model cannot be without."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Model


def related(model: type[Model]) -> Iterator[tuple[str, type[Model]]]:
    """The models that a model cannot be without, each with the field's name."""
    meta = model._meta
    for parent in [*meta.parents, *([meta.proxy_for_model] if meta.proxy_for_model else [])]:
        yield "", parent
    for field in [*meta.local_fields, *meta.local_many_to_many, *meta.private_fields]:
        remote = getattr(field, "remote_field", None)
        other = getattr(remote, "model", None)
        if isinstance(other, type):  # a name still, where the model is not installed
            yield f".{field.name}", other

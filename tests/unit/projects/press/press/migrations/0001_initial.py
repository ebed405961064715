from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

KEY = models.BigAutoField(primary_key=True, auto_created=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            name="Article",
            fields=[
                ("id", KEY),
                ("title", models.CharField(max_length=100)),
                ("readers", models.IntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Reader",
            fields=[
                ("id", KEY),
                (
                    "article",
                    models.ForeignKey(
                        to="press.article", on_delete=django.db.models.deletion.CASCADE
                    ),
                ),
            ],
        ),
    ]

"""The Django app that the plan adds to the admin's settings: it has the instance's system checks.

An app, and not a registration while settings load: Django's checks import half of Django, which
would then find settings half made (FACTS A14).
"""

"""What a site does with sessions, and what it costs: said without changing anything.

A package of its own beside `analysis`, whose processes, read-only databases and visitor it uses
(docs/decisions/0008).
"""

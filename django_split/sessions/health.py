"""What of Redis's INFO tells how a session store is."""

from __future__ import annotations

# Their meaning: https://redis.io/docs/latest/commands/info/
NAMES = frozenset(
    {
        "redis_version",
        "role",
        "uptime_in_seconds",
        "connected_clients",
        "connected_slaves",
        # bytes; maxmemory is 0 where there is no limit
        "used_memory",
        "maxmemory",
        "maxmemory_policy",
        "evicted_keys",
        "loading",
        # the append-only file: 0 or 1, "ok" or "err"
        "aof_enabled",
        "aof_last_write_status",
        "aof_last_bgrewrite_status",
        "aof_rewrite_in_progress",
        # the snapshot: unix seconds
        "rdb_last_save_time",
        "rdb_last_bgsave_status",
        "rdb_changes_since_last_save",
    }
)


def read_info(text: bytes, db: int) -> dict[str, str | int]:
    """The lines of NAMES, and `keys`: how many the database has. Numbers as numbers."""
    health: dict[str, str | int] = {"keys": 0}
    for line in text.decode(errors="replace").splitlines():
        name, colon, value = line.partition(":")
        if name in NAMES:
            health[name] = int(value) if value.isdigit() else value
        elif name == f"db{db}" and colon:  # db0:keys=3,expires=3,avg_ttl=0
            health["keys"] = int(value.partition("keys=")[2].partition(",")[0])
    return health

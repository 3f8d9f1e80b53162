"""The ports kept in this process's memory: for tests, and exact about what the store promises.

Nothing here awaits, so on one event loop every verb is atomic, as the store's writes are.
"""

from bursar.memory.audit_log import MemoryAuditLog
from bursar.memory.directory import MemoryDirectory
from bursar.memory.ledger import MemoryLedger
from bursar.memory.platform import MemoryPlatform
from bursar.memory.rate_limiter import MemoryRateLimiter
from bursar.memory.reset_log import MemoryResetLog
from bursar.memory.usage_log import MemoryUsageLog

__all__ = [
    "MemoryAuditLog",
    "MemoryDirectory",
    "MemoryLedger",
    "MemoryPlatform",
    "MemoryRateLimiter",
    "MemoryResetLog",
    "MemoryUsageLog",
]

"""The ports of a store, made for a test: in memory, or on a table of its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from bursar.memory import (
    MemoryAuditLog,
    MemoryDirectory,
    MemoryLedger,
    MemoryPlatform,
    MemoryRateLimiter,
    MemoryResetLog,
    MemoryUsageLog,
)
from bursar.ports import AuditLog, Directory, Ledger, Platform, RateLimiter, ResetLog, UsageLog
from bursar.store.audit_log import DynamoAuditLog
from bursar.store.boto3_call import Boto3Call
from bursar.store.connect import connect
from bursar.store.directory import DynamoDirectory
from bursar.store.ledger import DynamoLedger
from bursar.store.platform import DynamoPlatform
from bursar.store.rate_limiter import DynamoRateLimiter
from bursar.store.reset_log import DynamoResetLog
from bursar.store.schema import ensure_table
from bursar.store.signed_call import Patience
from bursar.store.usage_log import DynamoUsageLog

if TYPE_CHECKING:
    from bursar.store.call import Call
    from bursar.store.signed_call import SignedCall


@dataclass(frozen=True)
class Ports:
    directory: Directory
    ledger: Ledger
    usage_log: UsageLog
    reset_log: ResetLog
    rate_limiter: RateLimiter
    platform: Platform
    audit_log: AuditLog


def memory_ports() -> Ports:
    platform = MemoryPlatform()
    return Ports(
        MemoryDirectory(),
        MemoryLedger(),
        MemoryUsageLog(platform.leases),
        MemoryResetLog(),
        MemoryRateLimiter(),
        platform,
        MemoryAuditLog(),
    )


def dynamo_ports(call: Call, table_name: str) -> Ports:
    return Ports(
        DynamoDirectory(call, table_name),
        DynamoLedger(call, table_name),
        DynamoUsageLog(call, table_name),
        DynamoResetLog(call, table_name),
        DynamoRateLimiter(call, table_name),
        DynamoPlatform(call, table_name),
        DynamoAuditLog(call, table_name),
    )


async def new_table(call: Call) -> str:
    table_name = f"bursar-{uuid.uuid4().hex}"
    await ensure_table(call, table_name)
    return table_name


# A loaded machine may take seconds for what takes milliseconds; no test here is about waiting.
_PATIENT = Patience(tries_max=12, deadline_s=60.0, read_timeout_s=30.0)


def signed_call(endpoint: str) -> SignedCall:
    return connect({"DYNAMODB_ENDPOINT": endpoint}, patience=_PATIENT)


def boto3_call(endpoint: str) -> Boto3Call:
    return Boto3Call(
        boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(max_pool_connections=32),
        )
    )

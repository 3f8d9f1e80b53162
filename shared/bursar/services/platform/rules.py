"""What an administrator decides about the platform."""

from __future__ import annotations

from dataclasses import dataclass

_DAY_S = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class PlatformRules:
    """Settings of the platform's services.

    Attributes:
        sign_up_open: anybody who reaches the gateway may make an account; otherwise only whoever
            holds the master key.
        session_s: how long a person's token lives. The published clients ask for none again
            before 23 hours are over.
        project_token_s: how long a project's token lives; the same clients, the same reason.
        challenge_s: how long a challenge can be solved.
        challenge_rpm: challenges a minute of one project, and of one source for unknown keys.
        login_failures_max: wrong passwords of one account before it is locked.
        login_source_failures_max: wrong passwords from one address before it is locked out.
        login_lock_s: the window in which they are counted, and the longest that a lock lasts.
        lease_s_max: the longest that a lease may be spent from.
        lease_report_s: how much longer its usage may be reported before the rest is charged.
        grace_s_max: the longest grace period of a rotation.
    """

    sign_up_open: bool = False
    session_s: int = 7 * _DAY_S
    project_token_s: int = _DAY_S
    challenge_s: int = 300
    challenge_rpm: int = 1_200
    login_failures_max: int = 10
    login_source_failures_max: int = 100
    login_lock_s: int = 900
    lease_s_max: int = _DAY_S
    lease_report_s: int = 300
    grace_s_max: int = 30 * _DAY_S

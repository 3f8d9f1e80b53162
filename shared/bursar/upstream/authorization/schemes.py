"""Every scheme by its name, each loaded when the first request needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.ports import Upstream
    from bursar.upstream.authorization.scheme import Scheme


def schemes(
    environ: Mapping[str, str], upstream: Upstream, now_s: Callable[[], float]
) -> Mapping[str, Callable[[], Scheme]]:
    """Makers of the schemes.

    Args:
        environ: where the process's AWS role is.
        upstream: carries exchanges of credentials for tokens.
        now_s: the Unix time.
    """

    def aws() -> Scheme:
        from bursar.upstream.authorization.aws import AwsScheme, RoleCredentials  # noqa: PLC0415

        return AwsScheme(RoleCredentials(environ), now_s)

    def sagemaker() -> Scheme:
        from bursar.upstream.authorization.aws import RoleCredentials  # noqa: PLC0415
        from bursar.upstream.authorization.sagemaker import SageMakerScheme  # noqa: PLC0415

        return SageMakerScheme(RoleCredentials(environ), now_s)

    def google() -> Scheme:
        from bursar.upstream.authorization.aws import RoleCredentials  # noqa: PLC0415
        from bursar.upstream.authorization.google import GoogleScheme  # noqa: PLC0415

        return GoogleScheme(upstream, now_s, RoleCredentials(environ))

    def ibm() -> Scheme:
        from bursar.upstream.authorization.ibm import IbmScheme  # noqa: PLC0415

        return IbmScheme(upstream, now_s)

    def azure() -> Scheme:
        from bursar.upstream.authorization.azure import AzureScheme  # noqa: PLC0415

        return AzureScheme(upstream, now_s)

    return {"aws": aws, "sagemaker": sagemaker, "google": google, "ibm": ibm, "azure": azure}

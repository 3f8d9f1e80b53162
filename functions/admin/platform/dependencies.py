"""What the platform's routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from bursar.services.platform.office import PlatformServices

__all__ = ["Office", "PlatformServices"]


def _office(request: Request) -> PlatformServices:
    office: PlatformServices = request.app.state.platform
    return office


Office = Annotated[PlatformServices, Depends(_office)]

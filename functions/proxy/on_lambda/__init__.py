"""How the ASGI app is served inside AWS Lambda, streaming; see ARCHITECTURE.md.

Nothing outside this package knows of it but the function's entry point, so it can be deleted the
day the managed Python runtime streams by itself, or serves ASGI apps.
"""

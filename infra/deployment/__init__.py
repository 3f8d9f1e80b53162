"""The first deployment of a stack, and its upgrades: `python -m infra.deployment dev`.

The master key is made on this machine and stays there; only its digest is deployed.
"""

"""`bursar`, the administrator's command: accounts and vaults, with all crypto on this machine."""

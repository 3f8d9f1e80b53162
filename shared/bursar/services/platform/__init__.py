"""The platform: people who sign in, projects with vaults, and clients that call providers."""

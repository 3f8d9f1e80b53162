"""What the catalogue of providers says, for people."""

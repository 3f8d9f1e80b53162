"""Provider keys that a deployment reads where its administrator keeps them."""

"""Bodies of the platform's routes, in the shapes of its published clients."""

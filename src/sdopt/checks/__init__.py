"""Is a model sound? Units of every equation, and how variables hang together."""

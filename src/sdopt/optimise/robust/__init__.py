"""One allocation for many scenarios: best on average, in the tail, at worst, or with the least regret."""

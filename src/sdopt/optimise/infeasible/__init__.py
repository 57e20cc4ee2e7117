"""Why no allocation is allowed: the limits that clash, and what would repair it."""

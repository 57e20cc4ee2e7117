"""Why the advice is what it is: prices of limits, room to choose otherwise, contributions, trade-offs."""

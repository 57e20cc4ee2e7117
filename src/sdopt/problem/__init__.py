"""Config and equations joined: names resolved, units checked, horizon set, ready to be evaluated."""

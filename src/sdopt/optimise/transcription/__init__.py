"""The question for other solvers: every step of the model as Pyomo variables and constraints."""

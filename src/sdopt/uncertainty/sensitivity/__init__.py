"""Which uncertainties matter: designs on the unit cube and the analysis of their outputs, on bare arrays."""

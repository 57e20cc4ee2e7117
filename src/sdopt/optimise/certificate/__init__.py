"""An upper bound that assumes nothing about the shape of return or constraints."""

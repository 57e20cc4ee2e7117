"""What is not known well: distributions, draws and external scenarios, and a problem under all of them."""

"""A program as machine code, written as LLVM IR: the optional backend (`pip install sdopt[fast]`)."""

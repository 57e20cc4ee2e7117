"""`python -m sdopt`: the command line, for machines where scripts are not on the path."""

from sdopt.cli import main

if __name__ == "__main__":
    main(prog_name="sdopt")  # as the documentation calls it, however it was started

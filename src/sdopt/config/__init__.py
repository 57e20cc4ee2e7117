"""From a YAML file to a frozen `Config`: what a user may write, and friendly messages when it is wrong."""

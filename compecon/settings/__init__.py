"""What can be set: frozen classes that pydantic checks, and one reader of what is typed."""

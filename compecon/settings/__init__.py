"""Settings: frozen classes that pydantic checks, and one parser of typed values."""

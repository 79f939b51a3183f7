"""Tables in files of unknown origin: how they are written, and their rows. Import from the module of each thing."""

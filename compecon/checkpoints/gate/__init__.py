"""What may be loaded: files of a checkpoint are read and judged here, without torch."""

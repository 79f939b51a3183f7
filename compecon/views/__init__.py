"""What a screen shows, as plain data, before there is a screen."""

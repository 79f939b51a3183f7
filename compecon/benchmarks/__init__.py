"""What ``compecon bench`` measures: the page in a real browser, the library, and a yardstick."""

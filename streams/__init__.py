"""Watch a hashtag become a movement."""

__version__ = "0.1.0"

"""What stays bounded, whatever waits."""

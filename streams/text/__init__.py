"""Text as people write it: hashtags, folding, phrases, near copies, fingerprints."""

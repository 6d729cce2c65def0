"""Redis: seen uids, counters and offsets of each partition, written together and read together."""

"""Where posts come from: simulated days, and files that are replayed into Kafka."""

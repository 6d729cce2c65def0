"""A local Kafka and Redis for the demo and the tests; child processes that end with their parent.

Needs the extra `demo` (a JRE, Redis and the fetcher of Kafka's jars come as wheels).
"""

from streams.embedded.kafka import EmbeddedKafka
from streams.embedded.ports import LOCALHOST, free_port, port_answers, url_answers
from streams.embedded.process import Child
from streams.embedded.redis import EmbeddedRedis

__all__ = [
    "LOCALHOST",
    "Child",
    "EmbeddedKafka",
    "EmbeddedRedis",
    "free_port",
    "port_answers",
    "url_answers",
]

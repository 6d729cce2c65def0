"""Live sources into Kafka: `streams ingest`.

A source reads one platform and yields items, each with the place behind it (`source.py`).
`follow.py` connects it again and again, `deliver.py` brings items into the raw topic and then
stores the place beside them (`cursors.py`), `run.py` is the process around both.

Chosen: aiohttp's client for web sockets and streamed HTTP (Faust needs it anyway, and one client
does both), Starlette and uvicorn for the webhooks, as for the exporter.  Passed over: `websockets`
(good; a second client for one source), `httpx-sse` (brings a second HTTP client for the 30 lines of
`sse.py`), `aiohttp-sse-client` (unkept), `tenacity` and `stamina` (they repeat a call that failed;
here a connection that has worked for a week fails, and the count has to begin anew).
"""

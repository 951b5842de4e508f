"""Peers that nobody here wrote: a server and a client of python3-websockets.

websocket-peer.py serve           prints its port, then gives every message back; /close ends with 1001, /headers tells the head
websocket-peer.py ask URL LINES   sends messages and checks that they come back; LINES: a JSON object of headers. Prints JSON.
"""

import asyncio
import json
import os
import sys

import websockets


async def answer(socket, path):
    if path.endswith("/headers"):
        await socket.send(json.dumps([list(pair) for pair in socket.request_headers.raw_items()]))
    if path.endswith("/close"):
        await socket.close(1001, "going away")
        return
    async for message in socket:
        await socket.send(message)


async def serve():
    async with websockets.serve(answer, "127.0.0.1", 0, max_size=2**24) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def ask(url, headers):
    try:
        async with websockets.connect(url, extra_headers=headers, max_size=2**24) as socket:
            first = json.loads(await socket.recv()) if url.endswith("/headers") else None
            for message in ["hello", "ü" * 1000, os.urandom(3_000_000), b"", "x" * 70_000]:
                await socket.send(message)
                if await socket.recv() != message:
                    raise ValueError("another message came back")
            await asyncio.gather(*[socket.send(str(n)) for n in range(1000)])
            for n in range(1000):
                if await socket.recv() != str(n):
                    raise ValueError("messages came in another order")
            pong = await socket.ping()
            await pong
            await socket.close(1000, "done")
            return {"status": 101, "close": socket.close_code, "first": first}
    except websockets.exceptions.InvalidStatusCode as error:
        return {"status": error.status_code}
    except websockets.exceptions.ConnectionClosed as error:
        return {"status": 101, "close": error.code, "reason": error.reason}


if sys.argv[1] == "serve":
    asyncio.run(serve())
else:
    print(json.dumps(asyncio.run(ask(sys.argv[2], json.loads(sys.argv[3])))))

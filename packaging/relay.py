"""A mail relay: each message that comes is a file in the folder named. With a certificate and its key it is behind TLS."""

import pathlib
import ssl
import sys
import threading

from aiosmtpd.controller import Controller

address, port, folder, *pair = sys.argv[1:]


class Keep:
    async def handle_DATA(self, server, session, envelope):
        place = pathlib.Path(folder)
        number = len(list(place.iterdir()))
        (place / f"{number}.eml").write_bytes(envelope.content)
        return "250 kept"


context = None
if pair:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*pair)
Controller(Keep(), hostname=address, port=int(port), ssl_context=context).start()
threading.Event().wait()

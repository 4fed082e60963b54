"""A mail relay behind TLS: each message that comes is a file in the folder named."""

import pathlib
import ssl
import sys
import threading

from aiosmtpd.controller import Controller

address, certificate, key, folder = sys.argv[1:]


class Keep:
    async def handle_DATA(self, server, session, envelope):
        place = pathlib.Path(folder)
        number = len(list(place.iterdir()))
        (place / f"{number}.eml").write_bytes(envelope.content)
        return "250 kept"


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
Controller(Keep(), hostname=address, port=465, ssl_context=context).start()
threading.Event().wait()

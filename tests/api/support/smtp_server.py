"""A real SMTP server (aiosmtpd), for tests: it puts each mail into a file of a folder.

Mail to `refused@…` is refused for good, to `later@…` for now.
"""

import argparse
import asyncio
import itertools
import os
import signal
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class ToFiles:
    def __init__(self, folder, delay):
        self.folder = folder
        self.delay = delay
        self.numbers = itertools.count(len(os.listdir(folder)))

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 There is no such mailbox"
        if address.startswith("later@"):
            return "450 4.2.1 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = os.path.join(self.folder, f"{next(self.numbers):06}.eml")
        with open(name + ".part", "wb") as file:
            file.write(envelope.content)
        os.rename(name + ".part", name)
        # The mail is ours from here on; the client learns it late.
        await asyncio.sleep(self.delay)
        return "250 OK"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("port", type=int)
    arguments.add_argument("folder")
    arguments.add_argument("--delay", type=float, default=0, help="seconds until a mail is acknowledged")
    arguments.add_argument("--tls", choices=["starttls", "smtps"])
    arguments.add_argument("--certificate", help="a PEM file with certificate and key")
    arguments.add_argument("--login", help="user:password, without which nothing is taken")
    given = arguments.parse_args()

    options = {}
    if given.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(given.certificate)
        if given.tls == "smtps":
            options["ssl_context"] = context
        else:
            options.update(tls_context=context, require_starttls=True)
    if given.login:
        user, password = given.login.encode().split(b":")

        def authenticate(server, session, envelope, mechanism, data):
            is_right = (data.login, data.password) == (user, password)
            # Not handled: the refusal is the server's to say.
            return AuthResult(success=is_right, handled=False)

        options.update(authenticator=authenticate, auth_required=True)
        options.update(auth_require_tls=given.tls == "starttls")
    handler = ToFiles(given.folder, given.delay)
    controller = Controller(
        handler, hostname="127.0.0.1", port=given.port, enable_SMTPUTF8=True, **options
    )
    controller.start()
    signal.pause()


main()

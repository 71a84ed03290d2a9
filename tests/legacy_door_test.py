"""Who of the old clients is let in: ids, tiers, subprotocols, tokens, limits. By a client that shares no code with the
server.

usage: legacy_door_test.py BINARY [unittest options]
"""
import json
import sys
import tempfile
import time
import unittest

from legacy_client import V0, Client, refusal, v1
from server import Server, wait_until
from tokens import token

BINARY = sys.argv.pop(1)


class Handshake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, "--seed", "7").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_client_id(self):
        for name in ("a", "Z-_9", "x" * 64, "tests", "Admin-1"):
            self.assertIsNone(refusal(self.server, v1(name)), name)
        for name in ("", "x" * 65, "admin", "system", "test", "a.b", "a%20b", "%C3%A9", "a%2Fb", "a/b", "a%00b",
                     "admin/"):
            refused = refusal(self.server, v1(name))
            self.assertEqual(refused and refused.status, 400, name)
            error = json.loads(refused.body)["error"]
            for field, kind in (("code", str), ("message", str), ("timestamp", int), ("details", dict)):
                self.assertIsInstance(error[field], kind)

    def test_tier(self):
        for tier in ("huge", "", "Normal", "normal" + "x" * 40):
            refused = refusal(self.server, v1("me", buffer_tier=tier))
            self.assertEqual(refused and refused.status, 400, tier)

    def test_subprotocol(self):
        for offer, chosen in (((), None), (("auralis-v1",), "auralis-v1"), (("other", "auralis-v1"), "auralis-v1")):
            with Client(self.server, v1("me"), subprotocols=offer) as client:
                self.assertEqual(client.websocket.subprotocol, chosen)
        for offer in (("other",), ("auralis-v2",), ("auralis-v1x", "AURALIS-V1")):
            refused = refusal(self.server, v1("me"), subprotocols=offer)
            self.assertEqual(refused and refused.status, 400, offer)

    def test_token_without_a_secret(self):
        good = token("me", "secret")
        for options in ({"path": v1("me", token=good)},
                        {"path": v1("me"), "headers": {"Authorization": f"Bearer {good}"}}):
            refused = refusal(self.server, **options)
            self.assertEqual(refused and refused.status, 401, options)


class Limits(unittest.TestCase):
    def test_addresses(self):
        with Server(BINARY, "--limit-loopback", "on") as server:
            held = [Client(server, V0) for _ in range(3)] + [Client(server, v1(f"c{i}")) for i in range(2)]
            sixth = refusal(server, v1("sixth"))
            self.assertEqual(sixth and sixth.status, 429)
            self.assertGreater(int(sixth.headers["retry-after"]), 0)
            json.loads(sixth.body)["error"]
            for client in held:
                client.websocket.send_close()
                client.wait_closed()
                client.__exit__()
            wait_until(lambda: server.get("/api/status")[2]["active_connections"] == 0, 5, "still open")
            for i in range(4):
                with Client(server, v1(f"again{i}")) as client:
                    client.wait(lambda: client.heard)
                wait_until(lambda: server.get("/api/status")[2]["active_connections"] == 0, 5, "still open")
            eleventh = refusal(server, V0)
            self.assertEqual(eleventh and eleventh.status, 429)
            self.assertTrue(0 < int(eleventh.headers["retry-after"]) <= 60)
            self.assertIsNone(refusal(server, "/ws/v2"))

    def test_capacity(self):
        with Server(BINARY, "--max-listeners", "1") as server:
            with Client(server, V0) as client:
                client.wait(lambda: client.heard)
                for path in (V0, v1("second")):
                    full = refusal(server, path)
                    self.assertEqual(full and full.status, 503)
                    self.assertGreater(int(full.headers["retry-after"]), 0)
            wait_until(lambda: refusal(server, V0) is None, 5, "the place is not given back")

    def test_loopback_is_free_by_default(self):
        with Server(BINARY) as server:
            for i in range(12):
                self.assertIsNone(refusal(server, v1(f"c{i}")))


class Tokens(unittest.TestCase):
    def test_tokens(self):
        secret = "a long enough secret for tests"
        now = time.time()
        good, long = token("me", secret), token("me", secret, pad="x" * 1400)
        parts = good.split(".")
        bad = {
            "expired": token("me", secret, exp=now - 1), "other client": token("you", secret),
            "other secret": token("me", secret + "x"), "no exp": token("me", secret, exp=None),
            "exp as text": token("me", secret, exp=str(int(now + 60))), "alg none": token("me", secret, alg="none"),
            "unsigned": token("me", secret, alg="none").rsplit(".", 1)[0] + ".",
            "HS512": token("me", secret, alg="HS512"),
            "no sub": token(None, secret), "not a token": "abc", "empty": "", "two parts": ".".join(parts[:2]),
            "signature cut": good[:-2], "four parts": good + ".x", "payload swapped":
            ".".join((parts[0], token("me", "x", exp=now + 9999).split(".")[1], parts[2])),
            "not yet": token("me", secret, nbf=now + 100),
            "long rubbish": "x" * 3000,
        }
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(secret + "\n")
            file.flush()
            with Server(BINARY, "--jwt-secret-file", file.name, "--log-level", "debug") as server:
                for options in ({"path": v1("me", token=good)}, {"path": v1("anonymous")},
                                {"path": v1("me", token=long)},
                                {"path": v1("me"), "headers": {"Authorization": f"Bearer {good}"}},
                                {"path": v1("me"), "headers": {"Authorization": f"bearer {good}"}}):
                    self.assertIsNone(refusal(server, **options), options)
                for why, text in bad.items():
                    for options in ({"path": v1("me", token=text)},
                                    {"path": v1("me"), "headers": {"Authorization": f"Bearer {text}"}}):
                        refused = refusal(server, **options)
                        self.assertEqual(refused and refused.status, 401, (why, list(options)))
                for secret_text in (good, parts[2], "token="):
                    self.assertNotIn(secret_text, server.log())


if __name__ == "__main__":
    unittest.main()

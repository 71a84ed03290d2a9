"""TLS and trusted proxies of a real server, as browsers, proxies and operators meet them.

usage: tls_test.py BINARY [unittest options]
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from server import INSTRUMENTED, Server, wait_until
from websocket import Closed, Refused, WebSocket

BINARY = sys.argv.pop(1)
ELSEWHERE = "192.0.2.7"
LISTENERS = 500
MAX_BYTES_PER_LISTENER = 40 * 1024


def trusting(certificate):
    return ssl.create_default_context(cafile=str(certificate))


def get(server, path, context=None, host=None, headers=None):
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    extra = {"context": context} if context else {}
    connection = kind(host or server.host, server.port, timeout=20, **extra)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def serial(server, context):
    with socket.create_connection((server.host, server.port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secure:
            return secure.getpeercert()["serialNumber"]


def refuse_to_start(*options, data_dir):
    done = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir, *options],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0, done
    return done.stderr


def resident_bytes(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, "--seed", "7", "--tls-self-signed", "--allow-host", "music.local").__enter__()
        cls.certificate = pathlib.Path(cls.server.data_dir) / "tls-cert.pem"
        cls.context = trusting(cls.certificate)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def listen(self, *options, scheme="wss", seconds="2"):
        done = subprocess.run(
            [BINARY, "listen", "--duration", seconds, "--json", *options,
             f"{scheme}://127.0.0.1:{self.server.port}"], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def test_the_port_speaks_both(self):
        self.assertTrue(self.server.url.startswith("https://"))
        for context in (self.context, None):
            answer, body = get(self.server, "/api/health", context)
            self.assertEqual(answer.status, 200)
            self.assertEqual(json.loads(body)["status"], "healthy")

    def test_the_certificate_names_this_server(self):
        for name in ("localhost", "127.0.0.1", "::1", "music.local", socket.gethostname()):
            with socket.create_connection((self.server.host, self.server.port), timeout=20) as plain:
                self.context.wrap_socket(plain, server_hostname=name).close()
        with socket.create_connection((self.server.host, self.server.port), timeout=20) as plain:
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.context.wrap_socket(plain, server_hostname="elsewhere.example")

    def test_old_versions_of_tls_are_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection((self.server.host, self.server.port), timeout=20) as plain:
            with self.assertRaises(ssl.SSLError):
                context.wrap_socket(plain)

    def test_sessions_are_resumed(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = trusting(self.certificate)
            context.minimum_version = context.maximum_version = version
            session = None
            for resumed in (False, True):
                with socket.create_connection((self.server.host, self.server.port), timeout=20) as plain:
                    with context.wrap_socket(plain, server_hostname="localhost", session=session) as secure:
                        secure.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        self.assertTrue(secure.recv(65536).startswith(b"HTTP/1.1 200"))
                        self.assertEqual(secure.session_reused, resumed)
                        session = secure.session

    def test_an_origin_must_be_as_secure_as_the_request(self):
        here = f"127.0.0.1:{self.server.port}"
        for context, scheme, good in ((self.context, "https", True), (self.context, "http", False),
                                      (None, "http", True), (None, "https", True)):
            headers = {"Origin": f"{scheme}://{here}"}
            if good:
                WebSocket(self.server.host, self.server.port, "/ws/v2", headers=headers, tls=context).abandon()
            else:
                with self.assertRaises(Refused) as refused:
                    WebSocket(self.server.host, self.server.port, "/ws/v2", headers=headers, tls=context)
                self.assertEqual(refused.exception.status, 403)

    def test_a_page_on_loopback_stays_as_it_was_asked_for(self):
        answer, _ = get(self.server, "/", headers={"Upgrade-Insecure-Requests": "1"})
        self.assertEqual(answer.status, 200)

    def test_listeners_over_tls_hear_what_was_composed(self):
        status, report = self.listen("--insecure", "--verify", "--listeners", "5", seconds="4")
        self.assertEqual(status, 0, report)
        self.assertEqual((report["connected"], report["mismatches"], report["gaps"]), (5, 0, 0))
        self.assertGreater(report["verified"], 0)

    def test_listeners_check_the_certificate(self):
        status, report = self.listen("--ca", str(self.certificate), "--verify", scheme="https")
        self.assertEqual((status, report["connected"]), (0, 1), report)
        status, report = self.listen()
        self.assertEqual((status, report["connected"]), (1, 0))
        self.assertIn("certificate", report["failure"])
        status, report = self.listen("--ca", "/nowhere")
        self.assertIn("/nowhere", json.dumps(report))
        self.assertNotEqual(status, 0)

    def test_listeners_over_tls_need_little_memory(self):
        """Against as many without TLS, in one process, so that all else is the same."""
        resident = {}
        for scheme in ("ws", "wss"):
            with subprocess.Popen(
                    [BINARY, "listen", "--insecure", "--duration", "2", "--json", "--listeners", str(LISTENERS),
                     f"{scheme}://127.0.0.1:{self.server.port}"], stdout=subprocess.PIPE, text=True) as client:
                wait_until(lambda: self.listeners() == LISTENERS, 60, "all are connected")
                peaks = []
                while client.poll() is None and self.listeners() == LISTENERS:
                    peaks.append(resident_bytes(self.server.process))
                    time.sleep(0.2)
                resident[scheme] = max(peaks)
                self.assertEqual(json.load(client.stdout)["connected"], LISTENERS)
            wait_until(lambda: self.listeners() == 0, 20, "all are gone")
        each = (resident["wss"] - resident["ws"]) / LISTENERS
        print(f"# {each / 1024:.1f} KiB for TLS per listener", file=sys.stderr)
        if not INSTRUMENTED:
            self.assertLess(each, MAX_BYTES_PER_LISTENER)

    def listeners(self):
        return self.server.get("/api/status")[2]["active_connections"]


class Kept(unittest.TestCase):
    def setUp(self):
        self.data_dir = tempfile.mkdtemp(prefix="auralis-tls-test-")
        self.addCleanup(shutil.rmtree, self.data_dir, ignore_errors=True)
        self.certificate = pathlib.Path(self.data_dir) / "tls-cert.pem"
        self.key = pathlib.Path(self.data_dir) / "tls-key.pem"

    def make(self, *options):
        """A certificate of the server's own making."""
        with Server(BINARY, "--tls-self-signed", *options, data_dir=self.data_dir):
            return self.certificate.read_bytes(), self.key.read_bytes()

    def test_what_was_made_is_kept(self):
        first = self.make()
        self.assertEqual(self.key.stat().st_mode & 0o777, 0o600)
        self.assertEqual(first, self.make())
        self.assertNotEqual(first, self.make("--allow-host", "attic.local"))

    def test_clear_words_when_it_cannot_start(self):
        self.make()
        certificate, key = str(self.certificate), self.data_dir + "/other-key.pem"
        self.key.rename(key)
        self.make()
        for options, words in (
                (("--tls-cert", certificate), "there is no --tls-key"),
                (("--tls-key", key), "there is no --tls-cert"),
                (("--tls-cert", certificate, "--tls-key", key), "does not belong to the certificate"),
                (("--tls-cert", "/nowhere/x.pem", "--tls-key", key), "/nowhere/x.pem cannot be read: not found"),
                (("--tls-cert", key, "--tls-key", key), "holds no certificate"),
                (("--tls-cert", certificate, "--tls-key", key, "--tls-self-signed"), "goes without --tls-cert"),
                (("--trusted-proxy", "10.0.0.0/40"), "10.0.0.0/40")):
            self.assertIn(words, refuse_to_start(*options, data_dir=self.data_dir))

    def test_another_certificate_while_listeners_go_on(self):
        certificate, key = self.data_dir + "/cert.pem", self.data_dir + "/key.pem"

        def install():
            self.make()
            self.certificate.rename(certificate)
            self.key.rename(key)

        install()
        context = trusting(certificate)
        with Server(BINARY, "--tls-cert", certificate, "--tls-key", key) as server:
            first = serial(server, context)
            listener = WebSocket(server.host, server.port, "/ws/v2", tls=context)
            self.read_chunks(listener, 20)
            install()
            server.process.send_signal(signal.SIGHUP)
            context = trusting(certificate)
            wait_until(lambda: self.accepted(server, context), 10, "the new certificate is shown")
            self.assertNotEqual(serial(server, context), first)
            self.read_chunks(listener, 20)
            pathlib.Path(key).write_text("damaged")
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "the certificate stays as it was" in server.log(), 10, "the log says why")
            self.assertIn("holds no key", server.log())
            serial(server, context)
            self.read_chunks(listener, 20)
            listener.abandon()

    def test_a_certificate_does_not_cut_the_farewell_short(self):
        self.make()
        with Server(BINARY, "--tls-cert", str(self.certificate), "--tls-key", str(self.key)) as server:
            listener = WebSocket(server.host, server.port, "/ws/stream", tls=trusting(self.certificate))
            listener.receive()
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "stopping" in server.log(), 10, "it stops")
            server.process.send_signal(signal.SIGHUP)
            with self.assertRaises(Closed) as end:
                while True:
                    listener.receive()
            self.assertEqual(end.exception.code, 1000)
            listener.abandon()

    @staticmethod
    def accepted(server, context):
        try:
            return serial(server, context)
        except ssl.SSLCertVerificationError:
            return None

    @staticmethod
    def read_chunks(listener, count):
        while count > 0:
            opcode, _ = listener.receive()
            count -= opcode == 2


class FromElsewhere(unittest.TestCase):
    """In a network namespace where this machine has an address that is not on loopback."""

    def test_in_a_namespace(self):
        prepare = f"ip link set lo up && ip address add {ELSEWHERE}/32 dev lo && exec \"$@\""
        inside = ["unshare", "-rn", "sh", "-c", prepare, "sh"]
        if subprocess.run(["sh", "-c", '"$@"', "sh", *inside, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no network namespace can be made")
        done = subprocess.run([*inside, sys.executable, __file__, BINARY, "Elsewhere"], capture_output=True, text=True,
                              timeout=60, env={**os.environ, "AURALIS_TEST_ELSEWHERE": "1"}, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Ran 2 tests", done.stderr)


@unittest.skipUnless(os.environ.get("AURALIS_TEST_ELSEWHERE"), "FromElsewhere runs it in a namespace")
class Elsewhere(unittest.TestCase):
    def test_browsers_are_sent_to_tls(self):
        wish, host = {"Upgrade-Insecure-Requests": "1"}, ELSEWHERE
        with Server(BINARY, "--tls-self-signed", listen="0.0.0.0:0") as server:
            answer, _ = get(server, "/debug.html?a=b", host=host, headers=wish)
            self.assertEqual(answer.status, 307)
            self.assertEqual(answer.headers["Location"], f"https://{host}:{server.port}/debug.html?a=b")
            self.assertIn("Upgrade-Insecure-Requests", answer.headers["Vary"])
            self.assertNotIn("Strict-Transport-Security", answer.headers)
            answer, _ = get(server, "/", host=host, headers={**wish, "Host": "music.local"})
            self.assertEqual(answer.headers["Location"], "https://music.local:80/")
            for path, headers in (("/", {}), ("/api/health", wish), ("/", {**wish, "X-Forwarded-Proto": "https"}),
                                  ("/", {**wish, "Via": "1.1 proxy"})):
                self.assertEqual(get(server, path, host=host, headers=headers)[0].status, 200, path)
            answer, _ = get(server, "/?" + "x" * 3000, host=host, headers=wish)
            self.assertEqual(answer.status, 414)

    def test_without_tls_nobody_is(self):
        with Server(BINARY, listen="0.0.0.0:0") as server:
            answer, _ = get(server, "/", host=ELSEWHERE, headers={"Upgrade-Insecure-Requests": "1"})
            self.assertEqual((answer.status, answer.headers["Vary"]), (200, None))


class Proxies(unittest.TestCase):
    def connect(self, server, address, **headers):
        return WebSocket(server.host, server.port, "/ws/v2",
                         headers={"X-Forwarded-For": address, **{k.replace("_", "-"): v for k, v in headers.items()}})

    def test_limits_are_those_of_the_listener(self):
        with Server(BINARY, "--trusted-proxy", "127.0.0.0/8", "--max-per-address", "2",
                    "--max-sockets-per-address", "1") as server:
            held = [self.connect(server, "192.0.2.1") for _ in range(2)]
            with self.assertRaises(Refused) as refused:
                self.connect(server, "198.51.100.7, 192.0.2.1")
            self.assertIn(refused.exception.status, (429, 503))
            held.append(self.connect(server, "192.0.2.2"))
            held.append(self.connect(server, "192.0.2.1, 192.0.2.3"))
            held += [self.connect(server, "nonsense") for _ in range(2)]
            with self.assertRaises(Refused):
                self.connect(server, "nonsense")
            for listener in held:
                listener.abandon()

    def test_the_scheme_is_the_proxys_word(self):
        with Server(BINARY, "--trusted-proxy", "127.0.0.1") as server:
            here = f"{server.host}:{server.port}"
            self.connect(server, "192.0.2.1", X_Forwarded_Proto="https", Origin=f"https://{here}").abandon()
            with self.assertRaises(Refused):
                self.connect(server, "192.0.2.1", X_Forwarded_Proto="https", Origin=f"http://{here}")

    def test_strangers_are_not_believed(self):
        with Server(BINARY, "--max-per-address", "1", "--limit-loopback", "on") as server:
            held = self.connect(server, "192.0.2.1")
            with self.assertRaises(Refused):
                self.connect(server, "192.0.2.2")
            held.abandon()


if __name__ == "__main__":
    unittest.main()

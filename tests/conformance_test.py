"""What RFC 6455 asks of a server once a connection is open, frame by frame, against a real one, in each protocol.

usage: conformance_test.py BINARY [unittest options]
"""
import socket
import sys
import unittest

from named import each, for_protocols
from peer import PROTOCOLS, Peer, close_payload, in_pieces
from server import Server
from websocket import BINARY as BINARY_FRAME
from websocket import CLOSE, PING, PONG, TEXT, frame

BINARY = sys.argv.pop(1)
CONTINUATION = 0
SERVER = Server(BINARY, "--seed", "7", "--lead", "1", "--accept-rate", "0")
setUpModule = SERVER.__enter__
tearDownModule = SERVER.__exit__


class Cases:
    """What all classes of cases share. They become test cases at the end of this file."""

    def open(self, **options):
        peer = Peer(SERVER, self.protocol, **options)
        self.addCleanup(peer.abandon)
        return peer

    def alive(self, peer, number=4242):
        """It still answers both kinds of ping."""
        peer.ask(number)
        self.assertEqual(peer.next(), number)
        peer.send(b"alive", PING)
        self.assertEqual(peer.next(), b"alive")

    def ended(self, peer, code, before=(), **how):
        got, _, answers = peer.rest(**how)
        self.assertEqual((got, answers), (code, list(before)))

    def refused(self, data, code, before=()):
        """The server fails a connection on which this has come."""
        peer = self.open()
        peer.socket.sendall(data)
        self.ended(peer, code, before)


def cases(cls):
    """A plain class with the shared helpers in it."""
    for name, value in vars(Cases).items():
        if not name.startswith("__"):
            setattr(cls, name, value)
    return cls


@cases
class Lengths:
    """Every way to write a length, at its borders."""

    @each(*((str(size), size) for size in (100, 125, 126, 127, 128, 255, 256, 1000, 1024)))
    def test_text_of(self, size):
        peer = self.open()
        peer.ask(7, size)
        self.assertEqual(peer.next(), 7)
        self.alive(peer)

    def test_empty_text(self):
        """It is no JSON, and no fault of the frame's."""
        peer = self.open()
        peer.send(b"")
        self.assertEqual(peer.next()["type"], "error")
        self.alive(peer)

    def test_at_the_limit(self):
        peer = self.open()
        peer.ask(7, self.protocol.limit)
        self.assertEqual(peer.next(), 7)

    def test_over_the_limit(self):
        self.too_long(frame(self.protocol.ask(7, self.protocol.limit + 1)))

    @each(*((str(size), size) for size in (65535, 65536, 1 << 20, 1 << 31, 1 << 32, (1 << 63) - 1)))
    def test_announced(self, size):
        """Refused at its first byte: nobody waits for the rest."""
        self.too_long(frame(b"{", TEXT, announced=size))
        self.too_long(frame(b"{", BINARY_FRAME, announced=size))

    def too_long(self, data):
        peer = self.open()
        peer.socket.sendall(data)
        code, _, answers = peer.rest()
        self.assertEqual((code, [answer["type"] for answer in answers]), (1009, ["error"] * len(answers)))

    def test_over_the_limit_in_fragments(self):
        half = b"x" * (self.protocol.limit // 2)
        self.too_long(frame(half, TEXT, final=False) + frame(half, CONTINUATION, final=False) +
                      frame(b"x", CONTINUATION))

    def test_over_the_limit_by_the_last_announcement(self):
        self.too_long(frame(b"{", TEXT, final=False) + frame(b"}", CONTINUATION, announced=(1 << 63) - 1))

    @each(("top_bit", 1 << 63), ("all_bits", (1 << 64) - 1))
    def test_negative(self, size):
        self.refused(frame(b"", TEXT, announced=size), 1002)

    @each(*((f"{size}_in_{length_bytes}", size, length_bytes)
            for size, length_bytes in ((0, 2), (1, 2), (125, 2), (0, 8), (1, 8), (125, 8), (126, 8), (65535, 8))))
    def test_not_the_shortest_form(self, size, length_bytes):
        self.refused(frame(b"", TEXT, announced=size, length_bytes=length_bytes), 1002)


@cases
class Fragments:
    @each(*((str(count), count) for count in (2, 3, 5, 50)))
    def test_text_in(self, count):
        peer, text = self.open(), self.protocol.ask(7, 100)
        cuts = [n * len(text) // count for n in range(1, count)]
        peer.socket.sendall(in_pieces(text, cuts))
        self.assertEqual(peer.next(), 7)
        self.alive(peer)

    def test_each_byte_a_fragment(self):
        peer, text = self.open(), self.protocol.ask(7)
        peer.socket.sendall(in_pieces(text, range(1, len(text))))
        self.assertEqual(peer.next(), 7)

    @each(("first", 0), ("middle", 1), ("last", 2))
    def test_empty_fragment(self, place):
        peer, text = self.open(), self.protocol.ask(7)
        parts = [text[:9], text[9:]]
        parts.insert(place, b"")
        peer.socket.sendall(frame(parts[0], TEXT, final=False) + frame(parts[1], CONTINUATION, final=False) +
                            frame(parts[2], CONTINUATION))
        self.assertEqual(peer.next(), 7)

    def test_only_empty_fragments(self):
        peer = self.open()
        peer.socket.sendall(frame(b"", TEXT, final=False) + frame(b"", CONTINUATION))
        self.assertEqual(peer.next()["type"], "error")
        self.alive(peer)

    def test_control_frames_between(self):
        peer, text = self.open(), self.protocol.ask(7)
        between = frame(b"now", PING) + frame(b"unasked", PONG)
        peer.socket.sendall(in_pieces(text, (3, 9, 12), between=between))
        self.assertEqual([peer.next() for _ in range(4)], [b"now"] * 3 + [7])

    def test_control_frame_before_an_empty_end(self):
        peer, text = self.open(), self.protocol.ask(7)
        peer.socket.sendall(in_pieces(text, (len(text),), between=frame(b"", PING)))
        self.assertEqual([peer.next(), peer.next()], [b"", 7])

    def test_answered_within_a_message(self):
        """A pong does not wait for the message's end."""
        peer, text = self.open(), self.protocol.ask(7)
        peer.send(text[:9], TEXT, final=False)
        peer.send(b"now", PING)
        self.assertEqual(peer.next(), b"now")
        peer.send(text[9:], CONTINUATION)
        self.assertEqual(peer.next(), 7)

    def test_close_within_a_message(self):
        peer = self.open()
        peer.send(b"{", TEXT, final=False)
        peer.send(close_payload(1000), CLOSE)
        self.ended(peer, 1000)

    def test_many_messages_in_one_segment(self):
        peer = self.open()
        peer.socket.sendall(b"".join(frame(self.protocol.ask(n)) for n in range(12)))
        self.assertEqual([peer.next() for _ in range(12)], list(range(12)))

    def test_byte_at_a_time(self):
        peer, text = self.open(), self.protocol.ask(7, 130)
        for byte in in_pieces(text, (40, 41), between=frame(b"now", PING)):
            peer.socket.sendall(bytes([byte]))
        self.assertEqual([peer.next() for _ in range(3)], [b"now", b"now", 7])

    @each(("final", True), ("not_final", False))
    def test_nothing_to_continue(self, final):
        self.refused(frame(b"x", CONTINUATION, final=final), 1002)

    def test_nothing_to_continue_after_a_message(self):
        text = self.protocol.ask(7)
        self.refused(in_pieces(text, (5,)) + frame(b"x", CONTINUATION), 1002, [7])

    def test_nothing_to_continue_after_a_ping(self):
        self.refused(frame(b"now", PING) + frame(b"x", CONTINUATION), 1002, [b"now"])

    @each(("text", TEXT, True), ("text_fragment", TEXT, False), ("binary", BINARY_FRAME, True),
          ("binary_fragment", BINARY_FRAME, False))
    def test_new_message_within_a_message(self, opcode, final):
        self.refused(frame(b"x", TEXT, final=False) + frame(b"x", opcode, final=final), 1002)

    def test_binary_is_unwelcome(self):
        """Nobody speaks binary to the server: 1003 in v2; the old protocols count a broken message."""
        peer = self.open()
        peer.socket.sendall(in_pieces(bytes(9), (3, 6), BINARY_FRAME, between=frame(b"now", PING)))
        self.assertEqual([peer.next(), peer.next()], [b"now"] * 2)
        if self.protocol.name == "v2":
            self.ended(peer, 1003, answering=True)
        else:
            self.assertEqual(peer.next()["type"], "error")


@cases
class Control:
    def test_ping_of_every_length(self):
        peer = self.open()
        for size in range(126):
            peer.send(bytes(range(130, 130 + size)), PING)
            self.assertEqual(peer.next(), bytes(range(130, 130 + size)))

    @each(("ping", PING), ("pong", PONG), ("close", CLOSE))
    def test_too_long(self, opcode):
        payload = close_payload(1000, b"x" * 124)
        self.refused(frame(payload, opcode), 1002)
        self.refused(frame(b"", opcode, announced=126), 1002)
        self.refused(frame(b"", opcode, announced=65536), 1002)

    @each(("ping", PING), ("pong", PONG), ("close", CLOSE))
    def test_fragmented(self, opcode):
        self.refused(frame(close_payload(1000), opcode, final=False), 1002)
        self.refused(frame(b"{", TEXT, final=False) + frame(close_payload(1000), opcode, final=False), 1002)

    @each(("ping", PING), ("pong", PONG), ("close", CLOSE))
    def test_long_form_of_length(self, opcode):
        for length_bytes in (2, 8):
            self.refused(frame(close_payload(1000), opcode, length_bytes=length_bytes), 1002)

    def test_unsolicited_pongs(self):
        peer = self.open()
        for payload in (b"", b"unasked", b"x" * 125):
            peer.send(payload, PONG)
        self.alive(peer)

    def test_pings_before_reading(self):
        peer = self.open()
        payloads = [b"%d" % n for n in range(10)]
        peer.socket.sendall(b"".join(frame(payload, PING) for payload in payloads))
        self.assertEqual([peer.next() for _ in payloads], payloads)
        self.alive(peer)

    def test_ping_byte_at_a_time(self):
        peer = self.open()
        for byte in frame(b"slowly", PING):
            peer.socket.sendall(bytes([byte]))
        self.assertEqual(peer.next(), b"slowly")

    def test_flood(self):
        self.refused(frame(b"", PONG) * 2000, 1008)


@cases
class Reserved:
    @each(*((f"{opcode}_of_{size}", opcode, size) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
            for size in (0, 5)))
    def test_opcode(self, opcode, size):
        self.refused(frame(self.protocol.ask(7)) + frame(b"x" * size, opcode), 1002, [7])

    @each(*((str(opcode), opcode) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)))
    def test_opcode_within_a_message(self, opcode):
        begun = frame(b"{", TEXT, final=False)
        self.refused(begun + frame(b"", opcode), 1002)
        self.refused(begun + frame(b"x", opcode) + frame(b"}", CONTINUATION), 1002)

    @each(*((f"{bits}_on_{opcode}", bits, opcode) for bits in range(1, 8)
            for opcode in (TEXT, BINARY_FRAME, CLOSE, PING, PONG)))
    def test_bits(self, bits, opcode):
        payload = close_payload(1000) if opcode == CLOSE else b"x"
        self.refused(frame(self.protocol.ask(7)) + frame(payload, opcode, reserved=bits), 1002, [7])

    @each(*((str(bits), bits) for bits in range(1, 8)))
    def test_bits_within_a_message(self, bits):
        begun = frame(b"{", TEXT, final=False)
        self.refused(begun + frame(b"}", CONTINUATION, reserved=bits), 1002)
        self.refused(begun + frame(b"x", PING, reserved=bits), 1002)


@cases
class Masks:
    @each(("text", TEXT), ("binary", BINARY_FRAME), ("close", CLOSE), ("ping", PING), ("pong", PONG))
    def test_missing(self, opcode):
        payload = close_payload(1000) if opcode == CLOSE else b"x"
        self.refused(frame(payload, opcode, masked=False), 1002)
        self.refused(frame(b"", opcode, masked=False), 1002)

    def test_missing_on_a_later_fragment(self):
        self.refused(frame(b"{", TEXT, final=False) + frame(b"}", CONTINUATION, masked=False), 1002)

    def test_missing_on_a_later_message(self):
        text = self.protocol.ask(7)
        self.refused(frame(text) + frame(text, masked=False), 1002, [7])

    @each(("zeros", b"\0\0\0\0"), ("ones", b"\xff\xff\xff\xff"), ("one_byte", b"\0\0\0\x80"))
    def test_of(self, mask):
        peer, text = self.open(), self.protocol.ask(7)
        hidden = bytes(byte ^ mask[n % 4] for n, byte in enumerate(text))
        peer.socket.sendall(bytes([0x81, 0x80 | len(text)]) + mask + hidden)
        self.assertEqual(peer.next(), 7)


VALID = (("two_bytes", "Â©é߿"), ("three_bytes", "ࠀ€\ud7ff\ue000\ufffd\uffff"), ("four_bytes", "𐀀🎵\U0010ffff"),
         ("mixed", "aé€🎵b"), ("noncharacters", "\ufdd0\ufffe\U0001fffe"))
BROKEN = (
    ("stray_continuation", b"\x80"), ("stray_continuations", b"\xbf\xbf"), ("fe", b"\xfe"), ("ff", b"\xff"),
    ("overlong_two", b"\xc0\xaf"), ("overlong_two_high", b"\xc1\xbf"), ("overlong_three", b"\xe0\x80\xaf"),
    ("overlong_three_high", b"\xe0\x9f\xbf"), ("overlong_four", b"\xf0\x80\x80\xaf"),
    ("overlong_four_high", b"\xf0\x8f\xbf\xbf"), ("overlong_zero", b"\xc0\x80"),
    ("five_bytes", b"\xf8\x88\x80\x80\x80"), ("six_bytes", b"\xfc\x84\x80\x80\x80\x80"),
    ("surrogate_first", b"\xed\xa0\x80"), ("surrogate_last", b"\xed\xbf\xbf"),
    ("surrogate_pair", b"\xed\xa0\x81\xed\xb0\x80"),
    ("past_the_end", b"\xf4\x90\x80\x80"), ("far_past_the_end", b"\xf7\xbf\xbf\xbf"), ("f5", b"\xf5\x80\x80\x80"),
    ("lonely_start_two", b"\xc3 "), ("lonely_start_three", b"\xe2\x82 "), ("lonely_start_four", b"\xf0\x9f\x8e "))
TRUNCATED = (("of_two", b"\xc3"), ("first_of_three", b"\xe2"), ("second_of_three", b"\xe2\x82"),
             ("first_of_four", b"\xf0"), ("second_of_four", b"\xf0\x9f"), ("third_of_four", b"\xf0\x9f\x8e"))


@cases
class Utf8:
    @each(*VALID)
    def test_valid(self, note):
        peer = self.open()
        peer.send(self.protocol.ask(7, note=note))
        self.assertEqual(peer.next(), 7)

    @each(*VALID)
    def test_valid_cut_anywhere(self, note):
        peer, text = self.open(), self.protocol.ask(7, note=note)
        for cut in range(text.index(b"note"), len(text), 2):
            peer.socket.sendall(in_pieces(text, (cut, cut + 1), between=frame(b"now", PING)))
            self.assertEqual([peer.next() for _ in range(3)], [b"now", b"now", 7])

    @each(*BROKEN)
    def test_invalid(self, note):
        text = b'{"type": "ping", "note": "' + note + b'"}'
        self.refused(frame(text), 1007)
        self.refused(in_pieces(text, range(1, len(text))), 1007)

    @each(*BROKEN)
    def test_invalid_is_told_before_the_end(self, note):
        """Nobody waits for the rest of the message, not even of the frame."""
        text = b'{"note": "' + note
        self.refused(frame(text, TEXT, final=False), 1007)
        self.refused(frame(text, TEXT, announced=500), 1007)

    @each(*TRUNCATED)
    def test_ends_too_early(self, note):
        text = b'{"note": "' + note
        self.refused(frame(text), 1007)
        self.refused(frame(text, TEXT, final=False) + frame(b"", CONTINUATION), 1007)

    @each(*TRUNCATED)
    def test_is_waited_for(self, note):
        """What may still become a character is not refused."""
        peer = self.open()
        peer.send(b'{"note": "' + note, TEXT, final=False)
        peer.send(b"still here", PING)
        self.assertEqual(peer.next(), b"still here")

    def test_binary_may_be_anything(self):
        peer = self.open()
        peer.send(b"\xff\xfe\x80", BINARY_FRAME)
        if self.protocol.name == "v2":
            self.ended(peer, 1003, answering=True)
        else:
            self.assertEqual(peer.next()["type"], "error")

    def test_ping_may_be_anything(self):
        peer = self.open()
        peer.send(b"\xff\xfe\x80", PING)
        self.assertEqual(peer.next(), b"\xff\xfe\x80")


@cases
class Closing:
    @each(*((str(code), code) for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000,
                                           4999)))
    def test_code(self, code):
        self.refused(frame(close_payload(code), CLOSE), code)

    @each(*((str(code), code) for code in (0, 999, 1004, 1005, 1006, 1012, 1013, 1014, 1015, 1016, 1100, 2000, 2999,
                                           5000, 65535)))
    def test_code_not_allowed(self, code):
        self.refused(frame(close_payload(code), CLOSE), 1002)
        self.refused(frame(close_payload(code, b"why"), CLOSE), 1002)

    def test_without_code(self):
        self.refused(frame(b"", CLOSE), 1005)

    def test_half_a_code(self):
        self.refused(frame(b"\x03", CLOSE), 1002)

    @each(("short", b"bye"), ("longest", b"x" * 123), ("unicode", "ade 🎵".encode()))
    def test_reason(self, reason):
        self.refused(frame(close_payload(1000, reason), CLOSE), 1000)

    @each(*BROKEN, *TRUNCATED)
    def test_reason_invalid(self, reason):
        self.refused(frame(close_payload(1000, b"a" + reason), CLOSE), 1007)

    def test_byte_at_a_time(self):
        peer = self.open()
        for byte in frame(close_payload(1000, b"slowly"), CLOSE):
            peer.socket.sendall(bytes([byte]))
        self.ended(peer, 1000)

    def test_what_follows_is_ignored(self):
        peer = self.open()
        text = frame(self.protocol.ask(7))
        peer.socket.sendall(text + frame(close_payload(1000), CLOSE) + text + frame(b"now", PING) + b"\xff" * 99)
        self.ended(peer, 1000, [7])

    @each(("after_good_manners", frame(close_payload(1000), CLOSE), 1000), ("after_bad_ones", b"\xff\xff", 1002))
    def test_loud_end(self, data, code):
        """Whoever talks on while it is closed still hears the close frame: no reset destroys it."""
        peer = self.open()
        peer.socket.sendall(data)
        for _ in range(50):
            peer.socket.sendall(b"x" * 20000)
        self.ended(peer, code)

    def test_twice(self):
        self.refused(frame(close_payload(1001), CLOSE) + frame(close_payload(1000), CLOSE), 1001)

    def test_answers_come_before(self):
        peer = self.open()
        peer.socket.sendall(frame(b"now", PING) + frame(self.protocol.ask(7)) + frame(close_payload(3333), CLOSE))
        self.ended(peer, 3333, [b"now", 7])

    def test_half_closed_socket(self):
        """A peer that says no more can not take part in closing; the server just goes."""
        peer = self.open()
        peer.socket.shutdown(socket.SHUT_WR)
        self.assertIn(peer.rest()[0], (None, 1006))

    def test_half_closed_behind_the_close_frame(self):
        peer = self.open()
        peer.send(close_payload(1000), CLOSE)
        peer.socket.shutdown(socket.SHUT_WR)
        self.ended(peer, 1000)

    def test_third_broken_message(self):
        """The server begins to close; the peer's answer ends it."""
        peer = self.open()
        peer.socket.sendall(frame(b"no JSON") * 3)
        code, _, answers = peer.rest(answering=True)
        self.assertEqual((code, [answer["type"] for answer in answers]), (1008, ["error"] * 3))


globals().update(for_protocols(PROTOCOLS, Lengths, Fragments, Control, Reserved, Masks, Utf8, Closing))

if __name__ == "__main__":
    unittest.main()

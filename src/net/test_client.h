// A small blocking client for the tests: every wait ends after ten seconds with a failed assertion.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_frame {
    bool fin;
    int opcode;
    size_t len;
    uint8_t *bytes;   // malloc'ed, closed by a zero
};

// IPv4 loopback, or IPv6 with v6. receive_bytes: SO_RCVBUF, 0: the system's.
int client_connect(uint16_t port, bool v6, int receive_bytes);
void client_send(int fd, const void *bytes, size_t len);
void client_say(int fd, const char *text);
// Makes it speak TLS from now on: the functions of this file work as before. Takes any certificate.   step: bytes of a
// send, 0: as many as there are.
void client_secure(int fd, size_t step);
// The serial number of the server's certificate.
uint64_t client_secured_by(int fd);
// Reads one HTTP answer: head and, by its Content-Length, body; closed by a zero. Returns the status, 0 at the end of
// the stream.   no_body: the answer to a HEAD request.
int client_answer(int fd, char *out, size_t cap, bool no_body);
// Asks for a path and reads the answer. Returns the status.
int client_ask(int fd, const char *path, char *out, size_t cap);
// Nothing more comes: the stream has ended, in order or by a reset.
bool client_at_end(int fd);
void client_read(int fd, void *out, size_t len);
// A request that must be answered by 101.
void client_upgrade(int fd, const char *target);
int client_websocket(uint16_t port, const char *target);
// The same over TLS. receive_bytes: as in client_connect.
int client_secure_websocket(uint16_t port, const char *target, int receive_bytes);
// A masked frame.
void client_frame(int fd, bool fin, int opcode, const void *payload, size_t len);
void client_text(int fd, const char *text);
struct test_frame client_read_frame(int fd);
// Reads a frame and compares it as a whole.
void client_expect(int fd, int opcode, const char *payload);
void client_expect_close(int fd, int code);
// Closes with 1000 and waits for the end of both sides.
void client_bye(int fd);

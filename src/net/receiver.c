#include "net/receiver.h"

#include <string.h>

static ssize_t receiver_read(wslay_event_context_ptr parser, uint8_t *out, size_t cap, int flags, void *data)
{
    struct receiver *receiver = data;
    size_t len = receiver->input_len < cap ? receiver->input_len : cap;
    if (len == 0) {
        wslay_event_set_error(parser, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(out, receiver->input, len);
    receiver->input += len;
    receiver->input_len -= len;
    return (ssize_t)len;
}

// The library queues answers of its own. They are made elsewhere; here they only have to go away.
static ssize_t receiver_drop(wslay_event_context_ptr parser, const uint8_t *bytes, size_t len, int flags, void *data)
{
    return (ssize_t)len;
}

static void receiver_on_frame(wslay_event_context_ptr parser, const struct wslay_event_on_frame_recv_start_arg *frame,
                              void *data)
{
    struct receiver *receiver = data;
    uint64_t payload = frame->payload_length;
    int head = 2 + 4 + (payload < 126 ? 0 : payload < 65536 ? 2 : 8);
    receiver->frames++;
    receiver->ahead_bytes -= head + (int64_t)payload;
    if (!wslay_is_ctrl_frame(frame->opcode))
        receiver->fragmented = !frame->fin;
    receiver->half_code = frame->opcode == WSLAY_CONNECTION_CLOSE && payload == 1;
}

static void receiver_on_message(wslay_event_context_ptr parser, const struct wslay_event_on_msg_recv_arg *message,
                                void *data)
{
    static const uint8_t nothing[1];
    struct receiver *receiver = data;
    const uint8_t *bytes = message->msg ? message->msg : nothing;
    if (message->opcode == WSLAY_PING)
        receiver->events->ping(receiver->context, bytes, message->msg_length);
    else if (!wslay_is_ctrl_frame(message->opcode))
        receiver->events->message(receiver->context, (enum websocket_opcode)message->opcode, bytes,
                                  message->msg_length);
}

static const struct wslay_event_callbacks receiver_callbacks = {
    .recv_callback = receiver_read,
    .send_callback = receiver_drop,
    .on_frame_recv_start_callback = receiver_on_frame,
    .on_msg_recv_callback = receiver_on_message,
};

void receiver_init(struct receiver *receiver, size_t max_message_bytes, const struct receiver_events *events,
                   void *context)
{
    *receiver = (struct receiver){.events = events, .context = context, .max_message_bytes = max_message_bytes};
}

void receiver_finish(struct receiver *receiver)
{
    if (receiver->parser)
        wslay_event_context_free(receiver->parser);
    receiver->parser = NULL;
}

static bool receiver_begin(struct receiver *receiver)
{
    if (receiver->parser)
        return true;
    receiver->ahead_bytes = 0;
    if (wslay_event_context_server_init(&receiver->parser, &receiver_callbacks, receiver) != 0) {
        receiver->parser = NULL;   // the library has freed it, but not forgotten it
        return false;
    }
    wslay_event_config_set_max_recv_msg_length(receiver->parser, receiver->max_message_bytes);
    return true;
}

// The library says what it would close with by the frame that it has queued.
static enum receiver_state receiver_end(struct receiver *receiver, int result, int *code)
{
    if (result == WSLAY_ERR_NOMEM) {
        *code = WSLAY_CODE_INTERNAL_SERVER_ERROR;
        return RECEIVER_FAILED;
    }
    bool closed = result == 0 && wslay_event_get_close_received(receiver->parser);
    if (closed && receiver->half_code) {
        *code = WSLAY_CODE_PROTOCOL_ERROR;
        return RECEIVER_FAILED;
    }
    if (closed) {
        *code = wslay_event_get_status_code_received(receiver->parser);
        return RECEIVER_CLOSED;
    }
    *code = result == 0 ? wslay_event_get_status_code_sent(receiver->parser) : WSLAY_CODE_PROTOCOL_ERROR;
    return RECEIVER_FAILED;
}

enum receiver_state receiver_feed(struct receiver *receiver, const uint8_t *bytes, size_t len, int *code)
{
    if (!receiver_begin(receiver)) {
        *code = WSLAY_CODE_INTERNAL_SERVER_ERROR;
        return RECEIVER_FAILED;
    }
    receiver->input = bytes;
    receiver->input_len = len;
    receiver->ahead_bytes += (int64_t)len;
    int result = wslay_event_recv(receiver->parser);
    if (wslay_event_get_queued_msg_count(receiver->parser) > 0 && wslay_event_send(receiver->parser) != 0)
        result = WSLAY_ERR_NOMEM;
    if (result != 0 || !wslay_event_get_read_enabled(receiver->parser))
        return receiver_end(receiver, result, code);
    if (receiver->ahead_bytes == 0 && !receiver->fragmented)
        receiver_finish(receiver);
    return RECEIVER_OPEN;
}

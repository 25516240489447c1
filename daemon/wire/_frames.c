/* Plain WebSocket frames: a client's is taken apart, a server's put together, each in one pass (RFC 6455 5.2).
 *
 * Why it is in C: unmasking (RFC 6455 5.3) is a loop over bytes, for which Python has no operation. By way of
 * the exclusive or of two long integers, and of Autobahn's masker where the payload is long, a message of 64
 * bytes takes 1.2 microseconds to be taken and 0.2 to be put, one of 16 KiB 4 to 9 and 1, copied up to three
 * times each way (Debian's CPython 3.11); here it is 0.1 and 0.1, 1 to 2 and 0.5.
 *
 * It judges nothing: take_message() and take_packed() return None for every frame that is not whole, final,
 * masked, in the shortest form of its length and no longer than the limit, and for text that is not UTF-8;
 * put_message() does for every message that is long. websocket_frames.py does then what it does where this was
 * not compiled. tests/daemon/wire/test_frames.py holds both to the same.
 *
 * Memory: what is read lies between data[at] and the end of data, which is checked before; what is allocated
 * has the length of the payload, which is there.
 */
#define Py_LIMITED_API 0x030B0000 /* one binary for Python 3.11 and later */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define ON_STACK_BYTES 4096 /* of text, until it is decoded */
#define LONG_BYTES 65536 /* a payload from here on is written beside its head */

enum { TEXT = 1, BINARY = 2, FINAL = 0x80, PACKED = 0x40, MASKED = 0x80 };

typedef struct {
    unsigned char first; /* FIN, RSV1 to 3 and opcode */
    const unsigned char *mask, *payload;
    size_t payload_bytes;
    size_t frame_bytes; /* head and payload */
} Frame;

/* Write the payload, unmasked. */
static void unmask(unsigned char *to, const Frame *frame)
{
    const unsigned char *from = frame->payload;
    size_t i = 0, size = frame->payload_bytes;
    uint64_t mask, word;
    memcpy(&mask, frame->mask, 4);
    memcpy((unsigned char *)&mask + 4, frame->mask, 4);
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, from + i, 8);
        word ^= mask;
        memcpy(to + i, &word, 8);
    }
    for (; i < size; i++) {
        to[i] = from[i] ^ frame->mask[i & 3];
    }
}

/* Return whether the bytes begin with a whole, masked frame in the shortest form of its length. */
static int read_frame(Frame *frame, const unsigned char *at, size_t have)
{
    size_t head = 2;
    uint64_t length;
    if (have < 6 || !(at[1] & MASKED)) {
        return 0;
    }
    length = at[1] & 0x7f;
    if (length == 126) {
        length = (uint64_t)at[2] << 8 | at[3];
        head = 4;
        if (length < 126) {
            return 0;
        }
    } else if (length == 127) {
        if (have < 14) {
            return 0;
        }
        length = 0;
        for (int i = 2; i < 10; i++) {
            length = length << 8 | at[i];
        }
        head = 10;
        if (length < 65536) {
            return 0;
        }
    }
    if (have < head + 4 || length > have - head - 4) {
        return 0;
    }
    frame->first = at[0];
    frame->mask = at + head;
    frame->payload = at + head + 4;
    frame->payload_bytes = (size_t)length;
    frame->frame_bytes = head + 4 + (size_t)length;
    return 1;
}

static PyObject *binary_of(const Frame *frame)
{
    PyObject *payload = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)frame->payload_bytes);
    if (payload != NULL) {
        unmask((unsigned char *)PyBytes_AsString(payload), frame);
    }
    return payload;
}

static PyObject *text_of(const Frame *frame)
{
    unsigned char on_stack[ON_STACK_BYTES], *payload = on_stack;
    if (frame->payload_bytes > ON_STACK_BYTES && (payload = PyMem_Malloc(frame->payload_bytes)) == NULL) {
        return PyErr_NoMemory();
    }
    unmask(payload, frame);
    PyObject *text = PyUnicode_DecodeUTF8((const char *)payload, (Py_ssize_t)frame->payload_bytes, "strict");
    if (payload != on_stack) {
        PyMem_Free(payload);
    }
    return text;
}

/* Read (data, at, limit), and the frame at that place; return 1 where it is plain, 0 where not, -1 with an
 * exception. */
static int take(Frame *frame, size_t *at, PyObject *const *arguments, Py_ssize_t count)
{
    char *data;
    Py_ssize_t size;
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "it takes the data, a place in it and a limit");
        return -1;
    }
    if (PyBytes_AsStringAndSize(arguments[0], &data, &size) < 0) {
        return -1;
    }
    *at = PyLong_AsSize_t(arguments[1]);
    size_t limit = PyLong_AsSize_t(arguments[2]);
    if (PyErr_Occurred()) {
        return -1;
    }
    return *at <= (size_t)size && read_frame(frame, (const unsigned char *)data + *at, (size_t)size - *at)
        && frame->payload_bytes <= limit;
}

/* Return (payload, end), and take over the payload. */
static PyObject *pair_of(PyObject *payload, size_t end)
{
    PyObject *place = payload == NULL ? NULL : PyLong_FromSize_t(end);
    PyObject *pair = place == NULL ? NULL : PyTuple_New(2);
    if (pair == NULL) {
        Py_XDECREF(payload);
        Py_XDECREF(place);
        return NULL;
    }
    PyTuple_SetItem(pair, 0, payload); /* both are taken over; neither can fail on a new tuple */
    PyTuple_SetItem(pair, 1, place);
    return pair;
}

PyDoc_STRVAR(take_message_doc,
"take_message(data, at, limit, /)\n--\n\n"
"Return the message of the plain frame at a place, and where it ends; None where there is none.");

static PyObject *take_message(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    Frame frame;
    size_t at;
    PyObject *payload;
    int plain = take(&frame, &at, arguments, count);
    if (plain < 0) {
        return NULL;
    }
    if (plain && frame.first == (FINAL | TEXT)) {
        payload = text_of(&frame);
        if (payload == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
            PyErr_Clear();
            Py_RETURN_NONE;
        }
    } else if (plain && frame.first == (FINAL | BINARY)) {
        payload = binary_of(&frame);
    } else {
        Py_RETURN_NONE;
    }
    return pair_of(payload, at + frame.frame_bytes);
}

PyDoc_STRVAR(take_packed_doc,
"take_packed(data, at, limit, /)\n--\n\n"
"Return the payload of the plain frame of a compressed message (RFC 7692 6) at a place, and where it ends; None "
"where there is none.");

static PyObject *take_packed(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    Frame frame;
    size_t at;
    int plain = take(&frame, &at, arguments, count);
    if (plain < 0) {
        return NULL;
    }
    if (plain && (frame.first == (FINAL | PACKED | TEXT) || frame.first == (FINAL | PACKED | BINARY))) {
        return pair_of(binary_of(&frame), at + frame.frame_bytes);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(put_message_doc,
"put_message(message, /)\n--\n\n"
"Return the one frame of a message of str or bytes, None where it is long or of another type.\n"
"Raises UnicodeEncodeError.");

static PyObject *put_message(PyObject *Py_UNUSED(module), PyObject *message)
{
    char *payload;
    Py_ssize_t size;
    unsigned char first;
    if (PyUnicode_Check(message)) {
        first = FINAL | TEXT;
        payload = (char *)PyUnicode_AsUTF8AndSize(message, &size);
        if (payload == NULL) {
            return NULL;
        }
    } else if (PyBytes_Check(message)) {
        first = FINAL | BINARY;
        PyBytes_AsStringAndSize(message, &payload, &size);
    } else {
        Py_RETURN_NONE;
    }
    if (size >= LONG_BYTES) {
        Py_RETURN_NONE;
    }
    Py_ssize_t head = size < 126 ? 2 : 4;
    PyObject *frame = PyBytes_FromStringAndSize(NULL, head + size);
    if (frame == NULL) {
        return NULL;
    }
    unsigned char *to = (unsigned char *)PyBytes_AsString(frame);
    to[0] = first;
    if (size < 126) {
        to[1] = (unsigned char)size;
    } else {
        to[1] = 126;
        to[2] = (unsigned char)(size >> 8);
        to[3] = (unsigned char)size;
    }
    memcpy(to + head, payload, (size_t)size);
    return frame;
}

static PyMethodDef methods[] = {
    {"take_message", (PyCFunction)(void (*)(void))take_message, METH_FASTCALL, take_message_doc},
    {"take_packed", (PyCFunction)(void (*)(void))take_packed, METH_FASTCALL, take_packed_doc},
    {"put_message", put_message, METH_O, put_message_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "asgid.daemon.wire._frames",
    .m_doc = "Takes plain WebSocket frames apart, and puts them together.",
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__frames(void) { return PyModuleDef_Init(&definition); }

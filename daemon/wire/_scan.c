/* Plain heads: a request's is taken apart, a response's put together, each in one pass.
 *
 * Why it is in C: both are loops over headers, and Python takes a third of a microsecond for each turn. A
 * profile (Debian's CPython 3.11) found, of 13.9 microseconds between dataReceived and write for "hello
 * world" with a browser's 15 headers, 6.5 with httptools, which calls back into Python for each of them, and
 * 0.8 with the two headers of the answer. Every other way in Python (regular expressions, splits, a callback
 * without bytecode) was slower. Here the first takes 1.2, the second 0.2.
 *
 * It judges nothing. scan() returns what it read of a head in which nothing is unusual, and None for every
 * other, be it wrong or only rare; http1_head.py then reads that from its first byte as if this were not
 * there. So do render() and response_head.py. Each rule, each status and each message has one home, in
 * Python, and this file can only be too strict, which costs microseconds and nothing else.
 * tests/daemon/wire/test_scan.py, test_render.py and the fuzzer hold both to the same.
 *
 * A plain request head, of HTTP/1.1 alone, is:
 *   - one of the methods below, one space, a target of "/" and visible ASCII without "#", one space,
 *     "HTTP/1.1" (RFC 9112 3, 3.2.1);
 *   - field lines of a token, a colon, optional white space, a value without control characters but HTAB,
 *     optional white space (RFC 9110 5.1, 5.5; RFC 9112 5); each line ends with CR LF, none is folded;
 *   - exactly one Host, which is left to be looked at; at most one Content-Length, of 1 to 18 digits; no
 *     Connection but "keep-alive" and "close"; no Transfer-Encoding, Expect, Upgrade or Proxy-Connection;
 *   - an empty line, with which the bytes end.
 *
 * The plain headers of a response are a list of pairs (each a tuple) of bytes: a token, and a value without
 * control characters but HTAB (RFC 9110 5.1, 5.5); at most one Content-Length, as above; no other header that
 * the wire has to know of (RFC 9110 7.6.1; Date, Server).
 *
 * Memory: nothing is written but a table of LINES_MAX entries and one name of NAME_MAX_BYTES, both on the
 * stack; no allocation happens before the whole head was found plain, and each is then of a length that was
 * counted.
 */
#define Py_LIMITED_API 0x030B0000 /* one binary for Python 3.11 and later */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define LINES_MAX 128
#define NAME_MAX_BYTES 64
#define SLOTS 256 /* of the table of known names; a power of two, and more than twice as many as there are */

/* Names that have a meaning here come first: in requests, in both, and in responses. The others only spare
 * the making of a new bytes object. */
enum {
    HOST, EXPECT, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE, PROXY_CONNECTION,
    KEEP_ALIVE, TE, TRAILER, DATE, SERVER,
    LAST_OF_REQUESTS = PROXY_CONNECTION, FIRST_OF_RESPONSES = CONNECTION, LAST_OF_RESPONSES = SERVER,
};

static const char *const KNOWN[] = {
    "host", "expect", "connection", "content-length", "transfer-encoding", "upgrade", "proxy-connection",
    "keep-alive", "te", "trailer", "date", "server",
    "accept", "accept-charset", "accept-encoding", "accept-language", "access-control-request-headers",
    "access-control-request-method", "authorization", "cache-control", "content-encoding", "content-language",
    "content-type", "cookie", "dnt", "forwarded", "from", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "max-forwards", "origin", "pragma", "priority",
    "range", "referer", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-dest",
    "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user", "sec-gpc", "traceparent", "tracestate",
    "upgrade-insecure-requests", "user-agent", "via", "x-csrftoken", "x-forwarded-for", "x-forwarded-host",
    "x-forwarded-port", "x-forwarded-proto", "x-real-ip", "x-request-id", "x-requested-with",
};
enum { KNOWN_COUNT = sizeof(KNOWN) / sizeof(*KNOWN), UNKNOWN = KNOWN_COUNT };

static const char *const METHODS[] = {"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"};
enum { METHOD_COUNT = sizeof(METHODS) / sizeof(*METHODS) };

/* What a byte of a name becomes, 0 for those that are none (RFC 9110 5.6.2). */
static const unsigned char NAME_BYTE[256] = {
    ['!'] = '!', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&', ['\''] = '\'', ['*'] = '*', ['+'] = '+',
    ['-'] = '-', ['.'] = '.', ['^'] = '^', ['_'] = '_', ['`'] = '`', ['|'] = '|', ['~'] = '~',
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7',
    ['8'] = '8', ['9'] = '9',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h',
    ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p',
    ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
    ['Y'] = 'y', ['Z'] = 'z',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h',
    ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p',
    ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x',
    ['y'] = 'y', ['z'] = 'z',
};

typedef struct {
    PyObject *names[KNOWN_COUNT]; /* bytes */
    PyObject *methods[METHOD_COUNT]; /* str */
    unsigned char sizes[KNOWN_COUNT]; /* of the names, in bytes */
    unsigned char slots[SLOTS]; /* by a name's hash: its place in KNOWN, UNKNOWN where none is */
} State;

typedef struct {
    const unsigned char *name, *value;
    size_t name_bytes, value_bytes; /* of a name at most NAME_MAX_BYTES */
    unsigned known; /* place in KNOWN, or UNKNOWN */
} Line;

typedef struct { /* a head that was found plain; the pointers are into the caller's bytes */
    unsigned method;
    const unsigned char *target;
    size_t target_bytes;
    Line lines[LINES_MAX];
    size_t line_count;
    size_t host; /* which line */
    long long content_length; /* -1: none */
    int close;
} Head;

/* Return the slot at which the search for a name begins; a few bytes tell nearly all known ones apart. */
static unsigned slot_of(const unsigned char *lowered, size_t size)
{
    unsigned hash = (unsigned)size + lowered[0] * 31u + lowered[size / 2] * 7u + lowered[size - 1] * 131u;
    return (hash ^ (hash >> 8)) % SLOTS;
}

static unsigned find_known(const State *state, const unsigned char *lowered, size_t size)
{
    for (unsigned slot = slot_of(lowered, size);; slot = (slot + 1) % SLOTS) {
        unsigned known = state->slots[slot];
        if (known == UNKNOWN || (state->sizes[known] == size && memcmp(KNOWN[known], lowered, size) == 0)) {
            return known;
        }
    }
}

static int equals(const Line *line, const char *text)
{
    return line->value_bytes == strlen(text) && memcmp(line->value, text, line->value_bytes) == 0;
}

/* Read "METHOD /target HTTP/1.1 CR LF"; return what follows it, NULL where it is not plain. */
static const unsigned char *read_request_line(Head *head, const unsigned char *at, const unsigned char *end)
{
    static const char REST[] = " HTTP/1.1\r\n";
    unsigned method = 0;
    size_t size = 0;
    for (; method < METHOD_COUNT; method++) {
        size = strlen(METHODS[method]);
        if ((size_t)(end - at) > size && memcmp(at, METHODS[method], size) == 0 && at[size] == ' ') {
            break;
        }
    }
    if (method == METHOD_COUNT) {
        return NULL;
    }
    head->method = method;
    head->target = at += size + 1;
    if (at == end || *at != '/') {
        return NULL;
    }
    while (at < end && *at > 0x20 && *at < 0x7f && *at != '#') {
        at++;
    }
    head->target_bytes = (size_t)(at - head->target);
    if ((size_t)(end - at) < sizeof(REST) - 1 || memcmp(at, REST, sizeof(REST) - 1) != 0) {
        return NULL;
    }
    return at + sizeof(REST) - 1;
}

/* Read a token of at most NAME_MAX_BYTES, lower-cased; return its length, and in *known what it is. */
static size_t read_name(
    const State *state, const unsigned char *at, const unsigned char *end, unsigned *known)
{
    unsigned char lowered[NAME_MAX_BYTES];
    size_t size = 0;
    while (size < NAME_MAX_BYTES && at < end && NAME_BYTE[*at]) {
        lowered[size++] = NAME_BYTE[*at++];
    }
    *known = size ? find_known(state, lowered, size) : UNKNOWN;
    return size;
}

/* Whether none of the eight bytes is below 0x20, or 0x7f. Each test is of all at once: a borrow may mark a byte
 * too many, never one too few. */
static int eight_are_text(const unsigned char *at)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t word, without_7f;
    memcpy(&word, at, sizeof word);
    without_7f = word ^ (ones * 0x7f);
    return (((word - ones * 0x20) & ~word & high) | ((without_7f - ones) & ~without_7f & high)) == 0;
}

/* Read one field line with its CR LF; return what follows it, NULL where it is not plain. */
static const unsigned char *read_line(
    const State *state, Line *line, const unsigned char *at, const unsigned char *end)
{
    line->name = at;
    line->name_bytes = read_name(state, at, end, &line->known);
    at += line->name_bytes;
    if (line->name_bytes == 0 || at == end || *at != ':') {
        return NULL;
    }
    do {
        at++;
    } while (at < end && (*at == ' ' || *at == '\t'));
    line->value = at;
    while (end - at >= 8 && eight_are_text(at)) {
        at += 8;
    }
    while (at < end && ((*at >= 0x20 && *at != 0x7f) || *at == '\t')) {
        at++;
    }
    if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
        return NULL;
    }
    const unsigned char *last = at;
    while (last > line->value && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }
    line->value_bytes = (size_t)(last - line->value);
    return at + 2;
}

/* Read the only Content-Length into *length, which is -1 before; return 0 where it is not plain. */
static int read_content_length(long long *length, const unsigned char *value, size_t size)
{
    if (*length >= 0 || size < 1 || size > 18) {
        return 0;
    }
    long long read = 0; /* below 10 to the 18th: it fits */
    for (size_t i = 0; i < size; i++) {
        if (value[i] < '0' || value[i] > '9') {
            return 0;
        }
        read = read * 10 + (value[i] - '0');
    }
    *length = read;
    return 1;
}

/* Take note of what a line means to the connection; return 0 where that is not plain. */
static int interpret(Head *head, size_t number)
{
    const Line *line = &head->lines[number];
    switch (line->known) {
    case HOST:
        if (head->host != LINES_MAX) {
            return 0;
        }
        head->host = number;
        return 1;
    case CONNECTION:
        if (equals(line, "close")) {
            head->close = 1;
            return 1;
        }
        return equals(line, "keep-alive");
    case CONTENT_LENGTH:
        return read_content_length(&head->content_length, line->value, line->value_bytes);
    default:
        return line->known > LAST_OF_REQUESTS;
    }
}

/* Return whether the bytes are one plain head of at most line_limit lines, and nothing else. */
static int read_head(const State *state, Head *head, const unsigned char *at, size_t size, size_t line_limit)
{
    const unsigned char *end = at + size;
    head->line_count = 0;
    head->host = LINES_MAX;
    head->content_length = -1;
    head->close = 0;
    at = read_request_line(head, at, end);
    while (at != NULL) {
        if (end - at == 2 && at[0] == '\r' && at[1] == '\n') {
            return head->host != LINES_MAX;
        }
        if (head->line_count == line_limit) {
            return 0;
        }
        at = read_line(state, &head->lines[head->line_count], at, end);
        if (at != NULL && !interpret(head, head->line_count++)) {
            return 0;
        }
    }
    return 0;
}

static PyObject *bytes_of(const unsigned char *from, size_t size)
{
    return PyBytes_FromStringAndSize((const char *)from, (Py_ssize_t)size);
}

static PyObject *name_of(const State *state, const Line *line)
{
    unsigned char lowered[NAME_MAX_BYTES];
    if (line->known != UNKNOWN) {
        return Py_NewRef(state->names[line->known]);
    }
    for (size_t i = 0; i < line->name_bytes; i++) {
        lowered[i] = NAME_BYTE[line->name[i]];
    }
    return bytes_of(lowered, line->name_bytes);
}

/* Return a new tuple of objects that it takes over; NULL, with all of them let go, where one is NULL. */
static PyObject *tuple_of(Py_ssize_t count, PyObject **items)
{
    int whole = 1;
    for (Py_ssize_t i = 0; i < count; i++) {
        whole = whole && items[i] != NULL;
    }
    PyObject *tuple = whole ? PyTuple_New(count) : NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (tuple != NULL) {
            PyTuple_SetItem(tuple, i, items[i]); /* takes it over; cannot fail on a new tuple */
        } else {
            Py_XDECREF(items[i]);
        }
    }
    return tuple;
}

static PyObject *headers_of(const State *state, const Head *head, PyObject **host)
{
    PyObject *headers = PyList_New((Py_ssize_t)head->line_count);
    for (size_t i = 0; headers != NULL && i < head->line_count; i++) {
        const Line *line = &head->lines[i];
        PyObject *value = bytes_of(line->value, line->value_bytes);
        PyObject *header = tuple_of(2, (PyObject *[]){name_of(state, line), value});
        if (header == NULL) {
            Py_CLEAR(headers);
        } else {
            PyList_SetItem(headers, (Py_ssize_t)i, header); /* takes it over; cannot fail on a new list */
            if (i == head->host) {
                *host = Py_NewRef(value);
            }
        }
    }
    return headers;
}

PyDoc_STRVAR(scan_doc,
"scan(data, line_limit, /)\n--\n\n"
"Return (method, target, headers, host, content_length, close) of a plain head, None for any other bytes.");

static PyObject *scan(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    char *data;
    Py_ssize_t size;
    Head head;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "scan() takes the data and the limit of lines");
        return NULL;
    }
    if (PyBytes_AsStringAndSize(arguments[0], &data, &size) < 0) {
        return NULL;
    }
    size_t line_limit = PyLong_AsSize_t(arguments[1]);
    if (line_limit == (size_t)-1 && PyErr_Occurred()) {
        return NULL;
    }
    if (line_limit > LINES_MAX) {
        line_limit = LINES_MAX;
    }
    const State *state = PyModule_GetState(module);
    if (!read_head(state, &head, (const unsigned char *)data, (size_t)size, line_limit)) {
        Py_RETURN_NONE;
    }
    PyObject *host = NULL;
    PyObject *headers = headers_of(state, &head, &host);
    if (headers == NULL) {
        Py_XDECREF(host);
        return NULL;
    }
    return tuple_of(6, (PyObject *[]){
        Py_NewRef(state->methods[head.method]),
        bytes_of(head.target, head.target_bytes),
        headers,
        host,
        PyLong_FromLongLong(head.content_length),
        Py_NewRef(head.close ? Py_True : Py_False),
    });
}

/* Take a header of a response; return 0 where it is not plain. Nothing here runs code of Python. */
static int take_header(const State *state, Line *line, PyObject *header, long long *content_length)
{
    char *name, *value;
    Py_ssize_t name_bytes, value_bytes;
    if (!PyTuple_CheckExact(header) || PyTuple_Size(header) != 2) {
        return 0;
    }
    PyObject *first = PyTuple_GetItem(header, 0), *second = PyTuple_GetItem(header, 1);
    if (!PyBytes_CheckExact(first) || !PyBytes_CheckExact(second)) {
        return 0;
    }
    PyBytes_AsStringAndSize(first, &name, &name_bytes);
    PyBytes_AsStringAndSize(second, &value, &value_bytes);
    line->name = (const unsigned char *)name;
    line->value = (const unsigned char *)value;
    line->value_bytes = (size_t)value_bytes;
    line->name_bytes = read_name(state, line->name, line->name + name_bytes, &line->known);
    if (line->name_bytes == 0 || line->name_bytes != (size_t)name_bytes) {
        return 0;
    }
    for (size_t i = 0; i < line->value_bytes; i++) {
        unsigned char byte = line->value[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return 0;
        }
    }
    if (line->known == CONTENT_LENGTH) {
        return read_content_length(content_length, line->value, line->value_bytes);
    }
    return line->known < FIRST_OF_RESPONSES || line->known > LAST_OF_RESPONSES;
}

static unsigned char *append(unsigned char *at, const void *from, size_t size)
{
    memcpy(at, from, size);
    return at + size;
}

PyDoc_STRVAR(render_doc,
"render(headers, /)\n--\n\n"
"Return (lines, content_length, 0) of a response's plain headers, None for any other value.");

static PyObject *render(PyObject *module, PyObject *headers)
{
    Line lines[LINES_MAX]; /* they point into what the headers hold: no code runs that could let go of it */
    long long content_length = -1;
    const State *state = PyModule_GetState(module);
    if (!PyList_CheckExact(headers) || PyList_Size(headers) > LINES_MAX) {
        Py_RETURN_NONE;
    }
    size_t count = (size_t)PyList_Size(headers), size = 0;
    for (size_t i = 0; i < count; i++) {
        if (!take_header(state, &lines[i], PyList_GetItem(headers, (Py_ssize_t)i), &content_length)) {
            Py_RETURN_NONE;
        }
        size += lines[i].name_bytes + lines[i].value_bytes + 4; /* of things in memory: it fits */
    }
    PyObject *rendered = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (rendered == NULL) {
        return NULL;
    }
    unsigned char *at = (unsigned char *)PyBytes_AsString(rendered);
    for (size_t i = 0; i < count; i++) {
        at = append(at, lines[i].name, lines[i].name_bytes);
        at = append(at, ": ", 2);
        at = append(at, lines[i].value, lines[i].value_bytes);
        at = append(at, "\r\n", 2);
    }
    return tuple_of(3, (PyObject *[]){rendered, PyLong_FromLongLong(content_length), PyLong_FromLong(0)});
}

static int prepare(PyObject *module)
{
    State *state = PyModule_GetState(module);
    memset(state->slots, UNKNOWN, sizeof state->slots);
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        if ((state->methods[i] = PyUnicode_InternFromString(METHODS[i])) == NULL) {
            return -1;
        }
    }
    for (unsigned i = 0; i < KNOWN_COUNT; i++) {
        size_t size = strlen(KNOWN[i]);
        unsigned slot = slot_of((const unsigned char *)KNOWN[i], size);
        state->sizes[i] = (unsigned char)size;
        while (state->slots[slot] != UNKNOWN) {
            slot = (slot + 1) % SLOTS;
        }
        state->slots[slot] = (unsigned char)i;
        if ((state->names[i] = PyBytes_FromString(KNOWN[i])) == NULL) {
            return -1;
        }
    }
    return 0;
}

static int clear(PyObject *module)
{
    State *state = PyModule_GetState(module);
    for (unsigned i = 0; state != NULL && i < METHOD_COUNT; i++) {
        Py_CLEAR(state->methods[i]);
    }
    for (unsigned i = 0; state != NULL && i < KNOWN_COUNT; i++) {
        Py_CLEAR(state->names[i]);
    }
    return 0;
}

static void release(void *module) { clear(module); }

static PyMethodDef methods[] = {
    {"scan", (PyCFunction)(void (*)(void))scan, METH_FASTCALL, scan_doc},
    {"render", render, METH_O, render_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)prepare}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "asgid.daemon.wire._scan",
    .m_doc = "Takes plain request heads apart, and puts plain response heads together.",
    .m_size = sizeof(State),
    .m_methods = methods,
    .m_slots = slots,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__scan(void) { return PyModuleDef_Init(&definition); }

/* The plain request head, taken apart in one pass: what http1_head.py does with httptools, where it is there.
 *
 * Why it is in C: httptools calls back into Python for each header. A profile of "hello world" with a browser's
 * 15 headers (CPython 3.11, Debian's own) found 5.4 of 11 microseconds between dataReceived and write there,
 * and every way to do it in Python (regular expressions, splits, a callback without bytecode) slower. This takes
 * 1.1.
 *
 * It judges nothing. scan() returns what it read of a head in which nothing is unusual, and None for every
 * other, be it wrong or only rare; http1_head.py then reads that from its first byte as if this were not there.
 * So each rule, each status and each message has one home, in Python, and this file can only be too strict, which
 * costs microseconds and nothing else. tests/daemon/wire/test_scan.py and the fuzzer hold both to the same.
 *
 * A plain head, of HTTP/1.1 alone, is:
 *   - one of the methods below, one space, a target of "/" and visible ASCII without "#", one space,
 *     "HTTP/1.1" (RFC 9112 3, 3.2.1);
 *   - field lines of a token, a colon, optional white space, a value without control characters but HTAB,
 *     optional white space (RFC 9110 5.1, 5.5; RFC 9112 5); each line ends with CR LF, none is folded;
 *   - exactly one Host, which is left to be looked at; at most one Content-Length, of 1 to 18 digits; no
 *     Connection but "keep-alive" and "close"; no Transfer-Encoding, Expect, Upgrade or Proxy-Connection;
 *   - an empty line, with which the bytes end.
 *
 * Memory: nothing is written but a table of LINES_MAX entries and one name of NAME_MAX bytes, both on the stack;
 * no allocation happens before the whole head was found plain, and each is then of a length that was counted.
 */
#define Py_LIMITED_API 0x030B0000 /* one binary for Python 3.11 and later */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define LINES_MAX 128
#define NAME_MAX_BYTES 64
#define SLOTS 256 /* of the table of known names; a power of two, and more than twice as many as there are */

/* Names that have a meaning here come first. The others only spare the making of a new bytes object. */
enum { HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT, UPGRADE, PROXY_CONNECTION, PLAIN };

static const char *const KNOWN[] = {
    "host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "proxy-connection",
    "accept", "accept-charset", "accept-encoding", "accept-language", "access-control-request-headers",
    "access-control-request-method", "authorization", "cache-control", "content-encoding", "content-language",
    "content-type", "cookie", "date", "dnt", "forwarded", "from", "if-match", "if-modified-since",
    "if-none-match", "if-range", "if-unmodified-since", "max-forwards", "origin", "pragma", "priority", "range",
    "referer", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode",
    "sec-fetch-site", "sec-fetch-user", "sec-gpc", "te", "traceparent", "tracestate",
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
    unsigned char slots[SLOTS]; /* by a name's hash: its place in KNOWN, UNKNOWN where none is */
} State;

typedef struct {
    const unsigned char *name, *value;
    unsigned short name_bytes; /* at most NAME_MAX_BYTES */
    unsigned short known; /* place in KNOWN, or UNKNOWN */
    size_t value_bytes;
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

static unsigned hash_step(unsigned hash, unsigned char byte) { return (hash ^ byte) * 16777619u; } /* FNV-1a */

static unsigned slot_of(unsigned hash) { return (hash ^ (hash >> 15)) % SLOTS; }

static unsigned find_known(const State *state, const unsigned char *lowered, size_t size, unsigned hash)
{
    for (unsigned slot = slot_of(hash);; slot = (slot + 1) % SLOTS) {
        unsigned known = state->slots[slot];
        if (known == UNKNOWN || (strlen(KNOWN[known]) == size && memcmp(KNOWN[known], lowered, size) == 0)) {
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

/* Read one field line with its CR LF; return what follows it, NULL where it is not plain. */
static const unsigned char *read_line(
    const State *state, Line *line, const unsigned char *at, const unsigned char *end)
{
    unsigned char lowered[NAME_MAX_BYTES];
    unsigned hash = 2166136261u;
    size_t size = 0;
    line->name = at;
    for (; at < end && NAME_BYTE[*at]; at++) {
        if (size == NAME_MAX_BYTES) {
            return NULL;
        }
        hash = hash_step(hash, lowered[size++] = NAME_BYTE[*at]);
    }
    if (size == 0 || at == end || *at != ':') {
        return NULL;
    }
    line->name_bytes = (unsigned short)size;
    line->known = (unsigned short)find_known(state, lowered, size, hash);
    do {
        at++;
    } while (at < end && (*at == ' ' || *at == '\t'));
    line->value = at;
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

static int read_content_length(Head *head, const Line *line)
{
    if (head->content_length >= 0 || line->value_bytes < 1 || line->value_bytes > 18) {
        return 0;
    }
    long long length = 0; /* below 10 to the 18th: it fits */
    for (size_t i = 0; i < line->value_bytes; i++) {
        if (line->value[i] < '0' || line->value[i] > '9') {
            return 0;
        }
        length = length * 10 + (line->value[i] - '0');
    }
    head->content_length = length;
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
        return read_content_length(head, line);
    default:
        return line->known >= PLAIN;
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
        unsigned hash = 2166136261u;
        for (const char *byte = KNOWN[i]; *byte; byte++) {
            hash = hash_step(hash, (unsigned char)*byte);
        }
        unsigned slot = slot_of(hash);
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
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)prepare}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "asgid.daemon.wire._scan",
    .m_doc = "Takes plain request heads apart.",
    .m_size = sizeof(State),
    .m_methods = methods,
    .m_slots = slots,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__scan(void) { return PyModuleDef_Init(&definition); }

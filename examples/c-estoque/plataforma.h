/* plataforma.h: modules for plataforma-sdk in C. One header; nothing but wasi-libc is linked.
 *
 * The module defines one table, `pf_methods`, of the functions that its host may call: those of its own, and the
 * host's own, whose names begin with '@' ("@load", "@render", "@event", "@ui" ...). Each receives a call and answers it
 * with pf_return or pf_raise, at once or from the function that pf_ask resumes; one that does neither returns null.
 *
 *     static void somar(pf_call *call) { pf_return_integer(call, pf_integer(pf_arg(call, 0)) + 1); }
 *     const pf_method pf_methods[] = {{"somar", somar}, {0, 0}};
 *
 * Everything is single-threaded. A text of the host's (pf_json) lives until the function that received it returns.
 * What the lines mean: docs/reference/wire.md.
 */
#ifndef PLATAFORMA_H
#define PLATAFORMA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- texts that grow ------------------------------------------------------------------------------------------- */

typedef struct { char *at; size_t size, room; } pf_text;

static void pf_add_bytes(pf_text *text, const char *at, size_t size) {
    if (text->size + size + 1 > text->room) {
        text->room = (text->size + size + 1) * 2;
        text->at = realloc(text->at, text->room);
        if (!text->at) abort(); /* the host reports a crash: the memory limit is reached */
    }
    memcpy(text->at + text->size, at, size);
    text->size += size;
    text->at[text->size] = 0;
}

static void pf_add(pf_text *text, const char *raw) { pf_add_bytes(text, raw, strlen(raw)); }

static void pf_add_integer(pf_text *text, long long value) {
    char digits[24];
    pf_add_bytes(text, digits, (size_t)snprintf(digits, sizeof digits, "%lld", value));
}

/* Write a JSON string; the bytes must be UTF-8. */
static void pf_add_string(pf_text *text, const char *value) {
    pf_add(text, "\"");
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        char escaped[8];
        if (c == '"' || c == '\\') { escaped[0] = '\\'; escaped[1] = (char)c; pf_add_bytes(text, escaped, 2); }
        else if (c < 0x20) pf_add_bytes(text, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c));
        else pf_add_bytes(text, value, 1);
    }
    pf_add(text, "\"");
}

static void pf_free(pf_text *text) { free(text->at); memset(text, 0, sizeof *text); }

/* --- reading JSON: slices of a text, found again at each access; compact JSON only, as the host writes it ---------- */

typedef struct { const char *at; size_t size; } pf_json; /* size 0: there is no such value */

static const char *pf_skip(const char *at, const char *end) { /* past one value */
    int depth = 0, in_string = 0;
    for (; at < end; at++) {
        if (in_string) {
            if (*at == '\\') at++;
            else if (*at == '"') in_string = 0;
        } else if (*at == '"') in_string = 1;
        else if (*at == '[' || *at == '{') depth++;
        else if (*at == ']' || *at == '}') { if (!depth--) return at; }
        else if (*at == ',' && !depth) return at;
    }
    return end;
}

static inline pf_json pf_item(pf_json array, size_t index) {
    const char *at = array.at + 1, *end = array.at + array.size;
    if (array.size < 3 || *array.at != '[') return (pf_json){0, 0};
    for (;; index--) {
        const char *after = pf_skip(at, end - 1);
        if (!index) return (pf_json){at, (size_t)(after - at)};
        if (after >= end - 1) return (pf_json){0, 0};
        at = after + 1;
    }
}

static inline pf_json pf_field(pf_json object, const char *name) {
    const char *at = object.at + 1, *end = object.at + object.size;
    size_t size = strlen(name);
    if (object.size < 3 || *object.at != '{') return (pf_json){0, 0};
    while (at < end - 1) {
        const char *after = pf_skip(at, end - 1), *key = at + 1, *colon = key;
        while (colon < after && *colon != '"') colon += *colon == '\\' ? 2 : 1;
        if ((size_t)(colon - key) == size && !memcmp(key, name, size))
            return (pf_json){colon + 2, (size_t)(after - colon - 2)};
        at = after + 1;
    }
    return (pf_json){0, 0};
}

static inline double pf_double(pf_json value) { /* 0 where it is no number */
    char digits[64] = {0};
    if (value.size && value.size < sizeof digits) memcpy(digits, value.at, value.size);
    return strtod(digits, 0);
}

static inline long long pf_integer(pf_json value) { return (long long)pf_double(value); }
static inline int pf_is(pf_json value, const char *raw) {
    return value.size == strlen(raw) && !memcmp(value.at, raw, value.size);
}

static inline size_t pf_utf8(unsigned code, char *out) {
    if (code < 0x80) { out[0] = (char)code; return 1; }
    if (code < 0x800) { out[0] = (char)(0xC0 | code >> 6); out[1] = (char)(0x80 | (code & 63)); return 2; }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12); out[1] = (char)(0x80 | (code >> 6 & 63));
        out[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18); out[1] = (char)(0x80 | (code >> 12 & 63));
    out[2] = (char)(0x80 | (code >> 6 & 63)); out[3] = (char)(0x80 | (code & 63));
    return 4;
}

/* Decode a string into `out`, which has `room` bytes; returns false where it is none, or does not fit. */
static inline int pf_string(pf_json value, char *out, size_t room) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = value.at + 1, *end = value.at + value.size - 1;
    size_t size = 0;
    if (value.size < 2 || *value.at != '"') return 0;
    while (at < end) {
        char bytes[4] = {*at};
        size_t count = 1;
        if (*at == '\\' && at[1] == 'u') {
            char hex[5] = {0};
            memcpy(hex, at + 2, 4);
            unsigned code = (unsigned)strtoul(hex, 0, 16);
            at += 5;
            if (code >> 10 == 0x36 && at + 6 < end) { /* the first of a pair of surrogates */
                memcpy(hex, at + 3, 4);
                code = 0x10000 + ((code & 1023) << 10) + ((unsigned)strtoul(hex, 0, 16) & 1023);
                at += 6;
            }
            count = pf_utf8(code, bytes);
        } else if (*at == '\\') {
            const char *found = strchr(from, *++at);
            bytes[0] = found ? to[found - from] : *at;
        }
        if (size + count >= room) return 0;
        memcpy(out + size, bytes, count);
        size += count;
        at++;
    }
    out[size] = 0;
    return 1;
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

typedef struct { unsigned number; pf_json payload; int is_answered, is_waiting; } pf_call;
typedef struct { const char *name; void (*serve)(pf_call *call); } pf_method;
typedef void (*pf_resume)(pf_call *call, int is_ok, pf_json value, void *data);

extern const pf_method pf_methods[]; /* the module's own; ends with {0, 0} */

static pf_text pf_outbox, pf_last_answer;
static struct pf_future { unsigned number, call; pf_resume resume; void *data; } *pf_futures;
static size_t pf_future_count;
static unsigned pf_last_future;

static inline pf_json pf_arg(const pf_call *call, size_t index) {
    int has_names = call->payload.size && *call->payload.at == '{';
    return pf_item(has_names ? pf_field(call->payload, "args") : call->payload, index);
}

static void pf_begin_line(char kind, unsigned number) {
    char head[16];
    if (pf_outbox.size) pf_add(&pf_outbox, "\n");
    pf_add_bytes(&pf_outbox, head, (size_t)snprintf(head, sizeof head, "%c%u ", kind, number));
}

static void pf_return(pf_call *call, const char *json) {
    if (call->is_answered) return;
    call->is_answered = 1;
    pf_begin_line('r', call->number);
    pf_add(&pf_outbox, json);
}

static inline void pf_return_integer(pf_call *call, long long value) {
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", value);
    pf_return(call, digits);
}

static void pf_raise(pf_call *call, const char *type, const char *message) {
    if (call->is_answered) return;
    call->is_answered = 1;
    pf_begin_line('e', call->number);
    pf_add(&pf_outbox, "{\"type\":");
    pf_add_string(&pf_outbox, type);
    pf_add(&pf_outbox, ",\"message\":");
    pf_add_string(&pf_outbox, message);
    pf_add(&pf_outbox, "}");
}

/* Pass an error of the host on, as it is. */
static inline void pf_raise_json(pf_call *call, pf_json error) {
    if (call->is_answered) return;
    call->is_answered = 1;
    pf_begin_line('e', call->number);
    pf_add_bytes(&pf_outbox, error.at, error.size);
}

/* --- the host ------------------------------------------------------------------------------------------------------ */

__attribute__((import_module("plataforma"), import_name("host_call")))
uint64_t pf_host_call(const char *method, size_t method_size, const char *payload, size_t payload_size);
__attribute__((import_module("plataforma"), import_name("host_answer"))) void pf_host_answer(char *at);

/* Call an immediate function of the host with its arguments as a JSON array; true where it succeeded. The answer, or the
 * error, lives until the next pf_now. */
static inline int pf_now(const pf_call *call, const char *method, const char *arguments, pf_json *answer) {
    pf_text payload = {0};
    pf_add_integer(&payload, call ? call->number : 0);
    pf_add(&payload, " ");
    pf_add(&payload, arguments);
    uint64_t packed = pf_host_call(method, strlen(method), payload.at, payload.size);
    size_t size = packed & 0x7fffffff;
    pf_free(&payload);
    pf_free(&pf_last_answer);
    pf_last_answer.at = malloc(size + 1);
    if (!pf_last_answer.at) abort();
    pf_host_answer(pf_last_answer.at);
    if (answer) *answer = (pf_json){pf_last_answer.at, size};
    return !(packed & 0x80000000);
}

/* Ask for an awaited function of the host; `resume` is called with its value or error in a later pump. */
static inline void pf_ask(pf_call *call, const char *method, const char *arguments, pf_resume resume, void *data) {
    pf_futures = realloc(pf_futures, (pf_future_count + 1) * sizeof *pf_futures);
    if (!pf_futures) abort();
    pf_futures[pf_future_count++] = (struct pf_future){++pf_last_future, call->number, resume, data};
    call->is_waiting = 1;
    pf_begin_line('h', pf_last_future);
    pf_add_integer(&pf_outbox, call->number);
    pf_add(&pf_outbox, " ");
    pf_add(&pf_outbox, method);
    pf_add(&pf_outbox, " ");
    pf_add(&pf_outbox, arguments);
}

/* --- the exports --------------------------------------------------------------------------------------------------- */

static void pf_end(pf_call *call) { /* what neither answered nor waits returns null */
    if (!call->is_waiting) pf_return(call, "null");
}

static void pf_serve(unsigned number, const char *at, const char *end) {
    const char *space = memchr(at, ' ', (size_t)(end - at));
    pf_json name = {at, (size_t)((space ? space : end) - at)};
    pf_call call = {.number = number, .payload = space ? (pf_json){space + 1, (size_t)(end - space - 1)} : (pf_json){0, 0}};
    for (const pf_method *method = pf_methods; method->name; method++)
        if (pf_is(name, method->name)) {
            method->serve(&call);
            pf_end(&call);
            return;
        }
    if (*at == '@') pf_return(&call, "null"); /* a function of the host that this module has no use for */
    else pf_raise(&call, "LookupError", "the module has no such method");
}

static void pf_settle(unsigned number, int is_ok, pf_json value) {
    for (size_t i = 0; i < pf_future_count; i++) {
        if (pf_futures[i].number != number) continue;
        struct pf_future future = pf_futures[i];
        pf_futures[i] = pf_futures[--pf_future_count];
        pf_call call = {.number = future.call};
        future.resume(&call, is_ok, value, future.data);
        pf_end(&call);
        return;
    }
}

static void pf_cancel(unsigned number) { /* the host has given the call up: so do its futures */
    int was_waiting = 0;
    for (size_t i = pf_future_count; i-- > 0;)
        if (pf_futures[i].call == number) {
            pf_begin_line('d', pf_futures[i].number);
            pf_outbox.size--; /* no space after a line of one word */
            pf_futures[i] = pf_futures[--pf_future_count];
            was_waiting = 1;
        }
    if (was_waiting) {
        pf_begin_line('e', number);
        pf_add(&pf_outbox, "{\"cancelled\":true}");
    }
}

static uint64_t pf_packed(const char *at, size_t size) { return (uint64_t)(uintptr_t)at << 32 | size; }

__attribute__((export_name("alloc"))) void *pf_alloc(size_t size) { return malloc(size ? size : 1); }
__attribute__((export_name("dealloc"))) void pf_dealloc(void *at, size_t size) { (void)size; free(at); }

__attribute__((export_name("load")))
uint64_t pf_load(const char *bundle, size_t bundle_size, const char *config, size_t config_size) {
    static const char answer[] = "{\"entry\":\"c\"}";
    (void)bundle; (void)bundle_size; (void)config; (void)config_size;
    return pf_packed(answer, sizeof answer - 1);
}

__attribute__((export_name("pump"))) uint64_t pf_pump(const char *inbox, size_t size) {
    const char *at = inbox, *end = inbox + size;
    pf_outbox.size = 0;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end) line_end = end;
        char *rest = 0;
        unsigned number = at + 1 < line_end ? (unsigned)strtoul(at + 1, &rest, 10) : 0;
        pf_json value = {rest + 1, rest && rest < line_end ? (size_t)(line_end - rest - 1) : 0};
        if (*at == 'c') pf_serve(number, rest + 1, line_end);
        else if (*at == 'v') pf_settle(number, 1, value);
        else if (*at == 'x') pf_settle(number, 0, value);
        else if (*at == 'k') pf_cancel(number);
        at = line_end + 1; /* the first line is the time, which begins with a digit */
    }
    return pf_packed(pf_outbox.at, pf_outbox.size);
}

#endif

/* Stock: how many there are of each item. Adds, takes what orders take, warns, and keeps the numbers in its storage. */
#include "plataforma.h"

#define MAX_ITEMS 64
#define LOW 3

static struct { char name[64]; long long count; } items[MAX_ITEMS];
static size_t item_count;
static int may_warn;

static long long change(const pf_call *call, const char *name, long long by) {
    size_t i = 0;
    while (i < item_count && strcmp(items[i].name, name)) i++;
    if (i == item_count) {
        if (item_count == MAX_ITEMS) return 0;
        snprintf(items[item_count++].name, sizeof items[i].name, "%s", name);
    }
    items[i].count += by;
    if (by < 0 && items[i].count < LOW && may_warn) {
        pf_text arguments = {0};
        pf_add(&arguments, "[\"baixo\",{\"item\":");
        pf_add_string(&arguments, name);
        pf_add(&arguments, ",\"resta\":");
        pf_add_integer(&arguments, items[i].count);
        pf_add(&arguments, "}]");
        pf_now(call, "events.emit", arguments.at, 0);
        pf_free(&arguments);
    }
    return items[i].count;
}

static void add_rows(pf_text *text) {
    pf_add(text, "[");
    for (size_t i = 0; i < item_count; i++) {
        pf_add(text, i ? ",{\"item\":" : "{\"item\":");
        pf_add_string(text, items[i].name);
        pf_add(text, ",\"quantidade\":");
        pf_add_integer(text, items[i].count);
        pf_add(text, "}");
    }
    pf_add(text, "]");
}

/* --- what the host calls ---------------------------------------------------------------------------------------- */

static void on_stored(pf_call *call, int is_ok, pf_json rows, void *data) {
    (void)data;
    if (!is_ok) { pf_raise_json(call, rows); return; }
    for (size_t i = 0;; i++) {
        pf_json row = pf_item(rows, i);
        char name[64];
        if (!row.size) break;
        if (pf_string(pf_field(row, "item"), name, sizeof name)) change(call, name, pf_integer(pf_field(row, "quantidade")));
    }
    printf("estoque: %zu itens\n", item_count); /* goes to the host's log */
}

static void on_load(pf_call *call) {
    pf_json answer;
    may_warn = pf_now(call, "permissions.has", "[\"events.emit[module.estoque.baixo]\"]", &answer) && pf_is(answer, "true");
    pf_now(call, "windows.create", "[{\"id\":\"main\",\"title\":\"Estoque\"}]", 0);
    if (!pf_now(call, "events.subscribe", "[1,\"pedido.criado\"]", &answer)) { pf_raise_json(call, answer); return; }
    pf_ask(call, "storage.get", "[\"itens\"]", on_stored, 0);
}

static void on_event(pf_call *call) { /* [subscription, event, wants_reply] */
    pf_json data = pf_field(pf_arg(call, 1), "data");
    char name[64];
    if (pf_string(pf_field(data, "item"), name, sizeof name)) change(call, name, -pf_integer(pf_field(data, "quantidade")));
}

static void render(pf_call *call) {
    pf_text tree = {0};
    pf_add(&tree, "{\"type\":\"column\",\"children\":[{\"type\":\"heading\",\"props\":{\"text\":\"Estoque\"}},"
                  "{\"type\":\"table\",\"props\":{\"rows\":");
    add_rows(&tree);
    pf_add(&tree, "}},{\"type\":\"button\",\"props\":{\"label\":\"Guardar\",\"on_press\":{\"handler\":\"guardar\"}}}]}");
    pf_return(call, tree.at);
    pf_free(&tree);
}

static void adicionar(pf_call *call) {
    char name[64];
    if (!pf_string(pf_arg(call, 0), name, sizeof name)) pf_raise(call, "TypeError", "adicionar takes a name and a number");
    else pf_return_integer(call, change(call, name, pf_integer(pf_arg(call, 1))));
}

static void on_saved(pf_call *call, int is_ok, pf_json value, void *data) {
    (void)data;
    if (is_ok) pf_return_integer(call, (long long)item_count);
    else pf_raise_json(call, value);
}

static void guardar(pf_call *call) {
    pf_text arguments = {0};
    pf_add(&arguments, "[\"itens\",");
    add_rows(&arguments);
    pf_add(&arguments, "]");
    pf_ask(call, "storage.set", arguments.at, on_saved, 0);
    pf_free(&arguments);
}

static void on_press(pf_call *call) { guardar(call); } /* there is one button */

const pf_method pf_methods[] = {
    {"@load", on_load}, {"@event", on_event}, {"@render", render}, {"@ui", on_press},
    {"adicionar", adicionar}, {"guardar", guardar}, {0, 0},
};

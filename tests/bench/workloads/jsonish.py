def enc(o):
    if isinstance(o, str):
        return '"' + o.replace('"', '\\"') + '"'
    if isinstance(o, dict):
        return "{" + ",".join([enc(k) + ":" + enc(v) for k, v in o.items()]) + "}"
    if isinstance(o, list):
        return "[" + ",".join([enc(x) for x in o]) + "]"
    if o is None:
        return "null"
    if o is True:
        return "true"
    return str(o)


def main():
    n = 0
    for i in range(25):
        rec = {"id": i, "name": "user" + str(i), "tags": ["a", "b", "c"], "pos": {"x": i * 2, "y": i + 1.5}, "ok": None}
        n += len(enc([rec] * 10))
    return n

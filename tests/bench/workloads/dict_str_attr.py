class Acc:
    def __init__(self):
        self.n = 0
        self.words = {}

    def add(self, w):
        self.n = self.n + 1
        self.words[w] = self.words.get(w, 0) + 1


def main():
    acc = Acc()
    text = "the quick brown fox jumps over the lazy dog and runs away from the bear " * 40
    for k in range(8):
        for w in text.split():
            if w.startswith("b") or w == "fox":
                w = w.upper()
            acc.add(w)
    out = []
    for w, c in sorted(acc.words.items()):
        out.append(w + "=" + str(c))
    return ",".join(out)

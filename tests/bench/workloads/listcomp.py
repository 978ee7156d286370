def main():
    tot = 0
    for k in range(25):
        xs = [i * 3 + 1 for i in range(1000)]
        ys = [x - 1 for x in xs if x % 2 == 0]
        d = {y: y + 1 for y in ys}
        tot = tot + len(d) + sum(ys)
    return tot

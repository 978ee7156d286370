def main():
    i = 0
    s = 0
    while i < 40000:
        if i % 3 == 0:
            s += i
        i += 1
    return s

def main():
    t = 0
    for i in range(200):
        for j in range(200):
            t = t + i * j % 7
    return t

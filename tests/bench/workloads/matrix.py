def multiply(a, b, size):
    result = []
    for i in range(size):
        row = []
        for j in range(size):
            total = 0
            for k in range(size):
                total = total + a[i][k] * b[k][j]
            row.append(total)
        result.append(row)
    return result


def main():
    size = 24
    a = [[i + j for j in range(size)] for i in range(size)]
    b = [[i - j for j in range(size)] for i in range(size)]
    return multiply(a, b, size)[3][5]

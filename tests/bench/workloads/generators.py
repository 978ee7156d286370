def numbers(limit):
    number = 0
    while number < limit:
        yield number
        number = number + 1


def even(source):
    for number in source:
        if number % 2 == 0:
            yield number


def main():
    total = 0
    for number in even(numbers(4000)):
        total = total + number
    return total + sum(n * n for n in range(1000))

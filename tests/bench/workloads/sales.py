def report(rows):
    months = {}
    best = {}
    for row in rows:
        month = row["date"][:7]
        value = row["price"] * row["quantity"]
        months[month] = months.get(month, 0.0) + value
        customer = row["customer"]
        if customer in best:
            best[customer] = best[customer] + value
        else:
            best[customer] = value
    top = sorted(best.items(), key=lambda pair: pair[1], reverse=True)
    return [[month, round(months[month], 2)] for month in sorted(months)], top[:3]


def main():
    rows = []
    for number in range(600):
        rows.append(
            {
                "date": "2025-" + str(10 + number % 3) + "-01",
                "price": 9.9 + number % 7,
                "quantity": number % 5,
                "customer": "customer " + str(number % 40),
            }
        )
    return report(rows)
